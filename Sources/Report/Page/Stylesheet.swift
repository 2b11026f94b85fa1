/// How the page looks: one style sheet inside of it, light and dark, from 360 pixels on.
enum Stylesheet {
    static var text: String {
        func colors(_ color: (Ink) -> (Int, Int, Int)) -> String {
            Ink.all.map { ink in
                let (red, green, blue) = color(ink)
                return "--\(ink.property):rgb(\(red) \(green) \(blue))"
            }.joined(separator: ";")
        }
        return """
            :root{color-scheme:light dark;--page:#f4f6f9;--warn:#fff6e0;--warn-line:#d9a21b;\(colors(\.light))}
            @media (prefers-color-scheme:dark){:root{--page:#0f1318;--warn:#2b2413;--warn-line:#b98a1a;\(colors(\.dark))}}
            \(rules)
            """
    }

    private static let rules = """
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
        header,main,footer{max-width:76rem;margin:0 auto;padding:0 1rem}
        header{padding-top:1.5rem}
        h1{font-size:1.7rem;line-height:1.2;margin:0 0 .5rem;overflow-wrap:anywhere}
        h2{font-size:1.3rem;line-height:1.25;margin:2.25rem 0 .5rem}
        h3{font-size:1.02rem;line-height:1.3;margin:0}
        h4{font-size:.9rem;line-height:1.3;margin:0;font-weight:600}
        p{margin:.4rem 0;max-width:46rem}
        a{color:var(--series-0)}
        a:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--series-0);outline-offset:2px}
        .lead,.note{color:var(--muted)}
        .note{font-size:.85rem}
        figure>.note,details>.note{margin-top:.6rem}
        nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;margin:.75rem 0 0;padding:0;font-size:.9rem}
        .remarks{list-style:none;margin:1rem 0 0;padding:0;display:grid;gap:.5rem;max-width:60rem}
        .remarks li{background:var(--surface);border:1px solid var(--line);border-left:4px solid var(--muted);border-radius:6px;padding:.5rem .75rem}
        .remarks .warning{background:var(--warn);border-left-color:var(--warn-line)}
        .remarks b{margin-right:.4em}
        figure{margin:1rem 0;background:var(--surface);border:1px solid var(--line);border-radius:10px;padding:1rem;min-width:0}
        .head{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;gap:.25rem 1rem;margin-bottom:.6rem}
        .head a,details>a{font-size:.8rem}
        summary{cursor:pointer}
        summary h3{display:inline}
        details>a{display:inline-block;margin:.5rem 0}
        .scroll{overflow-x:auto;max-width:100%;background:linear-gradient(to left,var(--surface) 30%,transparent) right/3rem 100% no-repeat local,linear-gradient(to left,rgb(0 0 0/.22),transparent) right/.6rem 100% no-repeat scroll}
        table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
        th,td{padding:.35rem .4rem;text-align:right;vertical-align:top;unicode-bidi:isolate;white-space:nowrap}
        tbody th,thead th:first-child{text-align:left;font-weight:600;white-space:normal;min-width:7rem;max-width:16rem;overflow-wrap:break-word;position:sticky;left:0;background:var(--surface)}
        thead th{color:var(--muted);font-weight:600;border-bottom:1px solid var(--line)}
        thead .group{text-align:center;color:var(--text)}
        tbody tr+tr>*{border-top:1px solid var(--line)}
        td small{display:block;color:var(--muted);font-size:.72rem;font-weight:400}
        td.best{font-weight:700}
        .panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1rem}
        svg{display:block;width:100%;height:auto;max-width:30rem}
        svg text{font-family:inherit}
        .legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;margin:0 0 .75rem;padding:0;font-size:.88rem}
        .legend i{display:inline-block;width:.9em;height:.9em;border-radius:3px;margin-right:.4em;vertical-align:-.1em}
        .bars{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));gap:.9rem 2rem}
        .bars h4{overflow-wrap:anywhere;unicode-bidi:isolate}
        .bars h4 small{color:var(--muted);font-weight:400}
        .bars ul{list-style:none;margin:.15rem 0 0;padding:0}
        .bars li{display:grid;grid-template-columns:1fr 3.2rem;align-items:center;gap:.5rem;font-size:.85rem;font-variant-numeric:tabular-nums}
        .track{position:relative;display:block;height:.75rem;background:var(--track);border-radius:3px}
        .track span{position:absolute;inset:0 auto 0 0;border-radius:3px}
        .track b{position:absolute;top:calc(50% - 1px);height:2px;background:var(--text);box-shadow:0 0 0 1px var(--surface);border-radius:1px}
        .value{text-align:right}
        .query{border-top:1px solid var(--line);padding:.9rem 0;display:grid;grid-template-columns:9.5rem minmax(0,1fr);gap:1rem}
        .query:first-child{border-top:0;padding-top:0}
        .asked{font-size:.85rem;overflow-wrap:anywhere;unicode-bidi:isolate}
        .asked img{width:auto;height:9rem;max-width:100%;object-fit:contain;background:#fff;border-radius:6px}
        .asked q{font-size:1rem;font-style:italic}
        .asked p{margin:.3rem 0 0}
        .lists{display:grid;gap:.8rem;min-width:0}
        .lists>div{min-width:0}
        .lists h4 small{color:var(--muted);font-weight:400}
        .strip{display:flex;gap:.5rem;overflow-x:auto;list-style:none;margin:.25rem 0 0;padding:3px 3px .4rem}
        .strip li{flex:0 0 6.6rem;width:6.6rem;font-size:.75rem;line-height:1.3;unicode-bidi:isolate}
        .shot{display:flex;align-items:center;justify-content:center;height:8.2rem;background:#fff;border:3px solid;border-radius:6px;overflow:hidden}
        .hit .shot{border-color:var(--hit)}
        .miss .shot{border-color:var(--miss);border-style:dashed}
        .shot img{width:100%;height:100%;object-fit:contain;display:block}
        .text{height:7.4rem;padding:.4rem;overflow:hidden;color:#1b1f24}
        .gone{display:flex;align-items:center;justify-content:center;text-align:center;color:#56606d;padding:.4rem;background:#fff;min-height:5rem;border-radius:6px}
        .mark{display:flex;justify-content:space-between;font-weight:600}
        .hit .mark b{color:var(--hit)}
        .miss .mark b{color:var(--miss)}
        .strip .caption{color:var(--muted);overflow-wrap:anywhere;display:-webkit-box;-webkit-line-clamp:3;-webkit-box-orient:vertical;overflow:hidden}
        dl{margin:0;display:grid;grid-template-columns:minmax(9rem,max-content) 1fr;gap:.5rem 1.25rem;font-size:.92rem}
        dt{font-weight:600;overflow-wrap:anywhere}
        dd{margin:0;max-width:52rem}
        footer{padding:1.5rem 1rem 2.5rem;color:var(--muted);font-size:.85rem}
        @media (max-width:40rem){
        h1{font-size:1.4rem}
        figure{padding:.75rem}
        tbody th,thead th:first-child{min-width:7.4rem;max-width:8rem;overflow-wrap:anywhere}
        .query{grid-template-columns:minmax(0,1fr)}
        .asked{display:flex;gap:.75rem;align-items:flex-start}
        .asked img{height:6.5rem;max-width:40%}
        dl{grid-template-columns:1fr;gap:.1rem}
        dd{margin-bottom:.5rem}
        }
        @media print{figure{break-inside:avoid}.head a,nav{display:none}}
        """
}
