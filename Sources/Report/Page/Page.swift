import Imaging
import Retrieval

/// A report as one HTML page: its style, drawings and pictures are inside of it, and it loads nothing.
///
/// Written so that it is well-formed XML, too: every element is closed, every attribute quoted.
struct Page {
    private let report: Report
    private let thumbnails: Thumbnails

    init(_ report: Report, thumbnails: Thumbnails) {
        self.report = report
        self.thumbnails = thumbnails
    }

    var html: String {
        let sections = report.sections.enumerated()
        let contents = sections.map { number, section in
            "<li><a href=\"#section-\(number + 1)\">\(Markup.escaped(section.title))</a></li>"
        }
        let remarks = report.remarks.map { remark in
            remark.kind == .warning
                ? "<li class=\"warning\"><b>Warning</b>\(Markup.escaped(remark.text))</li>"
                : "<li><b>Note</b>\(Markup.escaped(remark.text))</li>"
        }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"/>
            <title>\(Markup.escaped(report.title))</title>
            <style>\(Stylesheet.text)</style>
            </head>
            <body>
            <header>
            <h1>\(Markup.escaped(report.title))</h1>
            \(report.lead.map { Markup.element("p", $0, class: "lead") }.joined(separator: "\n"))
            \(remarks.isEmpty ? "" : "<ul class=\"remarks\" aria-label=\"Remarks\">\(remarks.joined(separator: "\n"))</ul>")
            \(contents.count < 2 ? "" : "<nav aria-label=\"Contents\"><ul>\(contents.joined(separator: "\n"))</ul></nav>")
            </header>
            <main>
            \(sections.map { section($1, number: $0 + 1) }.joined(separator: "\n"))
            </main>
            <footer>Made by stylefinder. Figures are fractions in 0…1; small numbers below them and lines on bars are 95 % bootstrap intervals by product.</footer>
            </body>
            </html>

            """
    }

    private func section(_ section: Report.Section, number: Int) -> String {
        """
        <section>
        <h2 id="section-\(number)">\(Markup.escaped(section.title))</h2>
        \(section.text.map { Markup.element("p", $0) }.joined(separator: "\n"))
        \(section.figures.map(figure).joined(separator: "\n"))
        </section>
        """
    }

    private func figure(_ figure: Report.Figure) -> String {
        let content: String
        var picture = "<a href=\"\(figure.name).png\" aria-label=\"\(Markup.escaped(figure.title)) as PNG\">as PNG</a>"
        switch figure.content {
        case .table(let value): content = table(value, titled: figure.title)
        case .charts(let charts):
            content =
                "<div class=\"panels\">\(charts.enumerated().map { chart($1, name: "\(figure.name)-\($0 + 1)") }.joined())</div>"
        case .bars(let chart): content = bars(chart)
        case .grid(let value): content = grid(value)
        case .definitions(let terms):
            content =
                "<dl>\(terms.map { Markup.element("dt", $0.term) + Markup.element("dd", $0.text) }.joined(separator: "\n"))</dl>"
            picture = ""
        }
        let title = Markup.element("h3", figure.title)
        let note = figure.note.isEmpty ? "" : Markup.element("p", figure.note, class: "note")
        let body =
            figure.isFolded
            ? "<details><summary>\(title)</summary>\(picture)\(content)\(note)</details>"
            : "<div class=\"head\">\(title)\(picture)</div>\(content)\(note)"
        return "<figure id=\"\(figure.name)\">\n\(body)\n</figure>"
    }

    private func table(_ table: Table, titled title: String) -> String {
        var head = ""
        if !table.groups.isEmpty {
            let cells = table.groups.map { group in
                group.title.isEmpty
                    ? "<td colspan=\"\(group.columns)\"></td>"
                    : "<th class=\"group\" scope=\"colgroup\" colspan=\"\(group.columns)\">\(Markup.escaped(group.title))</th>"
            }
            head += "<tr>\(cells.joined())</tr>"
        }
        head += "<tr>\(table.columns.map { "<th scope=\"col\">\(Markup.escaped($0))</th>" }.joined())</tr>"
        let rows = table.rows.map { row in
            let cells = row.enumerated().map { place, cell in
                let text = Markup.escaped(cell.text) + (cell.detail.isEmpty ? "" : Markup.element("small", cell.detail))
                if place == 0 { return "<th scope=\"row\">\(text)</th>" }
                return "<td\(cell.isBest ? " class=\"best\"" : "")>\(text)</td>"
            }
            return "<tr>\(cells.joined())</tr>"
        }
        // Something that scrolls has to be reached without a mouse.
        return """
            <div class="scroll" tabindex="0" role="region" aria-label="Table: \(Markup.escaped(title))"><table>
            <thead>\(head)</thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody>
            </table></div>
            """
    }

    private func chart(_ chart: LineChart, name: String) -> String {
        let pen = SVGPen()
        chart.draw(with: pen, at: Point(0, 0))
        return pen.svg(width: LineChart.width, height: chart.height, title: chart.title, description: chart.summary, name: name)
    }

    private func bars(_ chart: BarChart) -> String {
        let models = chart.models
        func color(_ model: String) -> String { "background:var(--\(Ink.series(models.firstIndex(of: model) ?? 0).property))" }
        let legend = models.map { "<li><i style=\"\(color($0))\"></i>\(Markup.escaped($0))</li>" }
        let groups = chart.groups.map { group in
            let bars = group.bars.map { bar in
                func percent(_ share: Double) -> String { "\((min(max(share, 0), 1) * 1000).rounded() / 10)%" }
                let whisker = bar.interval.flatMap { $0.high > $0.low ? $0 : nil }.map { interval in
                    "<b style=\"left:\(percent(interval.low));width:\(percent(interval.high - interval.low))\"></b>"
                }
                let label = "\(bar.model): \(Table.number(bar.value))\(bar.interval.map { ", \(Table.range($0))" } ?? "")"
                return
                    "<li title=\"\(Markup.escaped(label))\"><span class=\"track\" role=\"img\" aria-label=\"\(Markup.escaped(label))\">"
                    + "<span style=\"width:\(percent(bar.value));\(color(bar.model))\"></span>\(whisker ?? "")</span>"
                    + "<span class=\"value\" aria-hidden=\"true\">\(Table.number(bar.value))</span></li>"
            }
            let note = group.note.isEmpty ? "" : " <small>\(Markup.escaped(group.note))</small>"
            return "<div><h4>\(Markup.escaped(group.label))\(note)</h4><ul>\(bars.joined())</ul></div>"
        }
        return "<ul class=\"legend\">\(legend.joined())</ul><div class=\"bars\">\(groups.joined(separator: "\n"))</div>"
    }

    private func grid(_ grid: RetrievalGrid) -> String {
        grid.queries.map { query in
            let asked =
                query.picture.map { image($0) + Markup.element("p", query.label) } ?? "<q>\(Markup.escaped(query.label))</q>"
            let lists = query.lists.map { list in
                let results = list.results.enumerated().map { place, result in self.result(result, place: place + 1) }
                let note = list.note.isEmpty ? "" : " <small>\(Markup.escaped(list.note))</small>"
                let label = "First results of \(list.model) for \(query.label)"
                return "<div><h4>\(Markup.escaped(list.model))\(note)</h4>"
                    + "<ol class=\"strip\" tabindex=\"0\" aria-label=\"\(Markup.escaped(label))\">\(results.joined())</ol></div>"
            }
            return "<div class=\"query\"><div class=\"asked\">\(asked)</div><div class=\"lists\">\(lists.joined())</div></div>"
        }.joined(separator: "\n")
    }

    /// Told by frame, sign and word, not by colour alone.
    private func result(_ result: RetrievalGrid.Result, place: Int) -> String {
        let shown =
            result.picture.path.isEmpty ? Markup.element("span", result.picture.alt, class: "text") : image(result.picture)
        let mark = result.isHit ? "<b>✓ hit</b>" : "<b>✗ miss</b>"
        return "<li class=\"\(result.isHit ? "hit" : "miss")\"><span class=\"shot\">\(shown)</span>"
            + "<span class=\"mark\">\(mark)<span>\(Table.number(Double(result.score)))</span></span>"
            + Markup.element("span", result.caption, class: "caption") + "</li>"
    }

    private func image(_ picture: RetrievalGrid.Picture) -> String {
        guard let thumbnail = thumbnails[picture.path] else {
            return Markup.element("span", "can't be read: \(picture.alt)", class: "gone")
        }
        return "<img src=\"\(Markup.data(thumbnail.jpeg, type: "image/jpeg"))\" width=\"\(thumbnail.image.width / 2)\""
            + " height=\"\(thumbnail.image.height / 2)\" loading=\"lazy\" alt=\"\(Markup.escaped(picture.alt))\"/>"
    }
}
