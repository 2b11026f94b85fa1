import Foundation
import Imaging
import Retrieval
import Testing

@testable import Report

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// A folder of a test's own, gone with the object.
private final class Folder {
    let path = FileManager.default.temporaryDirectory.appending(path: "report-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }

    func image(_ name: String) throws -> RGBImage { try ImageDecoder.decode(contentsOfFile: "\(path)/\(name)") }
}

/// Whether a page is well-formed, and what is in it.
private final class PageReader: NSObject, XMLParserDelegate {
    private(set) var elements: [(name: String, attributes: [String: String])] = []
    private(set) var text = ""
    private(set) var headings: [String] = []
    private(set) var fault: String?

    init(_ html: String) {
        super.init()
        // A parser of XML does not know what the doctype of HTML means.
        let parser = XMLParser(data: Data(html.replacing("<!DOCTYPE html>", with: "").utf8))
        parser.delegate = self
        if !parser.parse() { fault = "\(parser.parserError as Any), line \(parser.lineNumber)" }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        elements.append((name, attributes))
        if name.wholeMatch(of: /h[1-6]/) != nil { headings.append(name) }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

    func all(_ name: String) -> [[String: String]] { elements.filter { $0.name == name }.map(\.attributes) }
}

@Suite("a report")
struct ReportTests {
    static let evil = "<script>alert('x')</script> & \"quoted\" \u{0} \u{202E}]]> --> é 衣"

    private func picture(_ folder: Folder, _ name: String, width: Int, height: Int) throws -> String {
        var pixels: [UInt8] = []
        for y in 0..<height { for x in 0..<width { pixels += [UInt8(x % 256), UInt8(y % 256), 90] } }
        let path = "\(folder.path)/\(name)"
        try Data(ImageEncoder.png(RGBImage(width: width, height: height, pixels: pixels))).write(to: URL(filePath: path))
        return path
    }

    /// A report with every kind of figure, whose texts are all hostile.
    private func report(_ folder: Folder) throws -> Report {
        let evaluation = try EvaluationReport(
            rankings: [Ranking(relevantPlaces: [1], length: 9), Ranking(relevantPlaces: [4], length: 9)], products: ["a", "b"],
            gallery: 9)
        let wide = try picture(folder, "wide.png", width: 900, height: 300)
        let small = try picture(folder, "small.png", width: 20, height: 30)
        func shot(_ path: String) -> RetrievalGrid.Picture { .init(path: path, alt: "Result: \(Self.evil)") }
        let list = RetrievalGrid.ResultList(
            model: "model \(Self.evil)", note: "note \(Self.evil)",
            results: [
                .init(shot(wide), caption: Self.evil, score: 0.875, isHit: true),
                .init(shot(small), caption: "", score: -0.5, isHit: false),
                .init(shot(folder.path + "/missing.png"), caption: "gone", score: 0, isHit: false),
                .init(.init(path: "", alt: "a text \(Self.evil)"), caption: "", score: 0, isHit: true),
            ])
        let interval = EvaluationReport.Interval(0.25...0.75)
        return Report(
            title: "Title \(Self.evil)", lead: [Self.evil],
            remarks: [.init(.warning, "collapsed \(Self.evil)"), .init(.note, "noted")],
            sections: [
                .init(
                    "Tables \(Self.evil)", text: [Self.evil],
                    figures: [
                        .init(
                            "results", title: "Results \(Self.evil)", note: Self.evil,
                            .table(
                                .results([
                                    (Self.evil, [.init("image→image", evaluation), .init("text→image", nil)]),
                                    ("other", [.init("image→image", evaluation), .init("text→image", evaluation)]),
                                ])))
                    ]),
                .init(
                    "Figures",
                    figures: [
                        .init(
                            "curves", title: "Curves",
                            .charts([
                                LineChart(
                                    Self.evil, axis: "step",
                                    series: [
                                        .init(Self.evil, points: [(1, 3), (2, 1)]), .init("b", points: [(1, 2), (2, 2.5)]),
                                    ],
                                    marks: [.init(x: 2, label: Self.evil)])
                            ])),
                        .init(
                            "bars", title: "Bars",
                            .bars(
                                BarChart([
                                    .init(
                                        Self.evil, note: "2 queries",
                                        bars: [.init(model: Self.evil, value: 0.5, interval: interval)])
                                ]))),
                        .init(
                            "grid", title: "Grid",
                            .grid(
                                .init([
                                    .init(shot(small), label: Self.evil, lists: [list, list]),
                                    .init(nil, label: Self.evil, lists: [list]),
                                ]))),
                        .init("terms", title: "Terms", .definitions([(Self.evil, Self.evil)])),
                    ]),
            ])
    }

    @Test("the page is well-formed, loads nothing, runs nothing, and no text breaks out of its place")
    func page() throws {
        let folder = try Folder()
        let names = try report(folder).write(to: folder.path + "/out")
        #expect(Set(names) == ["index.html", "results.png", "curves.png", "bars.png", "grid.png"])
        let html = try folder.text("out/index.html")
        let page = PageReader(html)
        #expect(page.fault == nil, "\(page.fault ?? "")")
        #expect(page.all("script").isEmpty && page.all("link").isEmpty && page.all("iframe").isEmpty)
        #expect(!html.contains("<script"))
        for (name, attributes) in page.elements {
            #expect(attributes.keys.allSatisfy { !$0.hasPrefix("on") }, "\(name)")
            for key in ["src", "href"] {
                guard let address = attributes[key] else { continue }
                // Pictures are inside; links lead within the page or to a PNG beside it.
                #expect(
                    address.hasPrefix("data:image/jpeg;base64,") || address.hasPrefix("#") || names.contains(address),
                    "\(name) \(address.prefix(40))")
            }
        }
        #expect(!html.contains("url(") && !html.contains("@import"))
        // The text is there as it was meant, but for what no page may hold.
        let text = Self.evil.replacing("\u{0}", with: " ")
        #expect(page.text.contains("Title \(text)") && page.text.contains("collapsed \(text)"))
    }

    @Test(
        "the page can be read without seeing it: one first heading, none left out, texts for pictures, heads for tables, names for what scrolls"
    )
    func accessible() throws {
        let folder = try Folder()
        try report(folder).write(to: folder.path)
        let page = PageReader(try folder.text("index.html"))
        #expect(page.all("html").first?["lang"] == "en" && page.all("title").count >= 1)
        #expect(page.headings.filter { $0 == "h1" }.count == 1 && page.headings.first == "h1")
        for (above, below) in zip(page.headings, page.headings.dropFirst()) {
            #expect(try #require(below.last?.wholeNumberValue) <= #require(above.last?.wholeNumberValue) + 1, "\(above) \(below)")
        }
        let images = page.all("img")
        #expect(images.count == 7 && images.allSatisfy { !($0["alt"] ?? "").isEmpty })
        #expect(page.all("svg").allSatisfy { $0["role"] == "img" && $0["aria-labelledby"] != nil })
        #expect(page.all("th").allSatisfy { ["row", "col", "colgroup"].contains($0["scope"]) } && page.all("th").count > 10)
        for element in page.elements where element.attributes["tabindex"] != nil {
            #expect(!(element.attributes["aria-label"] ?? "").isEmpty, "\(element.name)")
        }
        let ids = page.elements.compactMap { $0.attributes["id"] }
        #expect(Set(ids).count == ids.count)
        for name in page.all("svg").flatMap({ ($0["aria-labelledby"] ?? "").split(separator: " ") }) {
            #expect(ids.contains(String(name)))
        }
        // Hits are told from misses in words.
        #expect(page.text.contains("✓ hit") && page.text.contains("✗ miss"))
    }

    @Test("every figure is a picture, too, with something on it")
    func pictures() throws {
        let folder = try Folder()
        let names = try report(folder).write(to: folder.path)
        for name in names where name.hasSuffix(".png") {
            let image = try folder.image(name)
            #expect(image.width > 300 && image.height > 100, "\(name)")
            var colors: Set<[UInt8]> = []
            for start in stride(from: 0, to: image.pixels.count, by: 3) { colors.insert(Array(image.pixels[start..<start + 3])) }
            #expect(colors.count > 20, "\(name)")
        }
        // The frames of hits and misses.
        let grid = try folder.image("grid.png")
        func has(_ ink: Ink) -> Bool {
            let (red, green, blue) = ink.light
            return stride(from: 0, to: grid.pixels.count, by: 3).contains {
                grid.pixels[$0] == red && grid.pixels[$0 + 1] == green && grid.pixels[$0 + 2] == blue
            }
        }
        #expect(has(.hit) && has(.miss))
    }

    @Test("a folder that can't be written is named")
    func unwritable() throws {
        let folder = try Folder()
        let file = try folder.write("file", "x")
        #expect {
            try Report(title: "t").write(to: file)
        } throws: { error in
            guard case ReportError.noWrite(let path, let reason) = error else { return false }
            return path.hasPrefix(file) && !reason.isEmpty
        }
    }

    @Test("small pictures keep their size, large ones become small, and neither is turned or squashed")
    func thumbnails() throws {
        let folder = try Folder()
        let wide = try picture(folder, "wide.png", width: 900, height: 300)
        let small = try picture(folder, "small.png", width: 20, height: 30)
        let thumbnails = Thumbnails(of: [wide, small, folder.path + "/missing.png"])
        let (one, other) = (try #require(thumbnails[wide]).image, try #require(thumbnails[small]).image)
        #expect(one.width == Thumbnails.side && one.height == (Thumbnails.side + 1) / 3)
        #expect(other.width == 20 && other.height == 30)
        #expect(thumbnails[folder.path + "/missing.png"] == nil)
        #expect(try ImageDecoder.decode(#require(thumbnails[wide]).jpeg).width == Thumbnails.side)
    }

    @Test("the best of a column is the greatest as it is shown, so that equals are both best; one model alone is not compared")
    func best() throws {
        func evaluation(_ places: [Int]) throws -> EvaluationReport {
            try EvaluationReport(
                rankings: places.map { Ranking(relevantPlaces: [$0], length: 30) }, products: ["a", "b"], gallery: 30)
        }
        let table = try Table.results([
            ("one", [.init("image→image", evaluation([1, 10]))]), ("two", [.init("image→image", evaluation([2, 1]))]),
            ("three", [.init("image→image", nil)]),
        ])
        #expect(table.columns == ["model", "R@1", "R@5", "R@10", "mAP"] && table.groups.map(\.title) == ["", "image→image"])
        #expect(table.rows[0].map(\.text) == ["one", "0.500", "0.500", "1.000", "0.550"])
        #expect(table.rows[0].map(\.isBest) == [false, true, false, true, false])
        #expect(table.rows[1].map(\.isBest) == [false, true, true, true, true])
        #expect(table.rows[2].map(\.text) == ["three", "–", "–", "–", "–"])
        #expect(table.rows[0][1].detail == "0.000–1.000")
        let alone = try Table.results([("one", [.init("image→image", evaluation([1, 10]))])])
        #expect(alone.rows[0].allSatisfy { !$0.isBest })
    }
}

@Suite("training curves")
struct TrainingCurvesTests {
    @Test("steps and epochs become panels with the best epoch marked in each")
    func panels() throws {
        let folder = try Folder()
        let path = try folder.write(
            "metrics.jsonl",
            """
            {"step": 1, "loss": 3.5, "loss_supcon": 3, "loss_info_nce": 0.5, "rate": 0.001, "gradient_norm": 7, "seconds": 0.5}
            {"step": 2, "loss": 2.5, "loss_supcon": 2, "loss_info_nce": 0.5, "rate": 0.002, "gradient_norm": 6, "seconds": 0.5}
            {"epoch": 1, "step": 2, "best": true, "val_score": 0.5, "val_map": 0.25}
            {"step": 3, "loss": 2, "loss_supcon": 1.5, "loss_info_nce": 0.5, "rate": 0.001, "gradient_norm": 5}
            {"step": 4, "loss": 1, "loss_supcon": 0.5, "loss_info_nce": 0.5, "rate": 0.0005, "gradient_norm": 4}
            {"epoch": 2, "step": 4, "best": false, "val_score": 0.4, "val_map": 0.125}
            {"step": 5, "lo
            """)
        let curves = try TrainingCurves(metrics: path)
        #expect(curves.best?.epoch == 1 && curves.best?.step == 2)
        let charts = curves.charts
        #expect(charts.map(\.title) == ["Loss", "Terms of the loss", "Learning rate", "Norm of the gradient", "Validation"])
        #expect(charts[0].series[0].points.map(\.y) == [3.5, 2.5, 2, 1] && charts[0].series[0].points.map(\.x) == [1, 2, 3, 4])
        #expect(charts[1].series.map(\.name) == ["info_nce", "supcon"])
        #expect(charts[4].series.map(\.name) == ["map", "score"] && charts[4].series[1].points.map(\.x) == [2, 4])
        #expect(charts.allSatisfy { $0.marks.map(\.x) == [2] && $0.marks.map(\.label) == ["best: epoch 1"] })
        let single = try folder.write(
            "single.jsonl",
            """
            {"step": 1, "loss": 3}
            {"epoch": 1, "step": 1, "val_score": 0.5, "val_map": 0.5}
            {"epoch": 2, "step": 2, "val_score": 0.25, "val_map": 0.25}
            """)
        let twin = try TrainingCurves(metrics: single)
        #expect(twin.hasSteps && twin.charts.last?.series.map(\.name) == ["map"])
        #expect(charts[0].summary == "loss from 3.5 at step 1 to 1 at step 4, between 1 and 3.5; best: epoch 1 at step 2.")
    }

    @Test("a broken line that is not the last is named, and so is a file that is not there")
    func refusals() throws {
        let folder = try Folder()
        let path = try folder.write("metrics.jsonl", "{\"step\": 1, \"loss\": 2}\nnonsense\n{\"step\": 2}\n")
        #expect(throws: ReportError.metrics(path: path, line: 2, found: "nonsense")) { try TrainingCurves(metrics: path) }
        #expect {
            try TrainingCurves(metrics: folder.path + "/none")
        } throws: { error in
            if case ReportError.noMetrics = error { true } else { false }
        }
        #expect(try TrainingCurves(metrics: folder.write("empty.jsonl", "")).charts.isEmpty)
    }

    @Test("a long curve is thinned to neighbours' means, which keep its ends' order and its mean")
    func thinning() {
        let points = (1...1000).map { (x: Double($0), y: Double($0 % 10)) }
        let thin = LineChart.thinned(points)
        #expect(thin.count == LineChart.resolution)
        #expect(zip(thin, thin.dropFirst()).allSatisfy { $0.x < $1.x })
        #expect(LineChart.thinned(Array(points.prefix(240))).count == 240)
        let mean = thin.reduce(0) { $0 + $1.y } / Double(thin.count)
        #expect(abs(mean - 4.5) < 0.1)
    }
}

@Suite("axes")
struct AxisTests {
    @Test("ticks are round numbers that hold all values between them")
    func ticks() {
        #expect(Axis(fitting: [0.13, 0.87], ticks: 4).ticks.map(Axis.label) == ["0", "0.2", "0.4", "0.6", "0.8", "1"])
        #expect(Axis(fitting: [3, 7.2], ticks: 4).ticks.map(Axis.label) == ["2", "4", "6", "8"])
        #expect(Axis(fitting: [1e-6, 6e-4], ticks: 4).ticks.map(Axis.label) == ["0", "0.0002", "0.0004", "0.0006"])
        #expect(Axis(fitting: [-1, 1], ticks: 4).ticks.map(Axis.label) == ["-1", "-0.5", "0", "0.5", "1"])
        #expect(Axis(fitting: [5], ticks: 4).share(5) == 0.5)
        #expect(Axis(fitting: [] as [Double], ticks: 4).ticks.count > 1)
        #expect(Axis(fitting: [.nan, 2, 3, .infinity], ticks: 2).high == 3)
        let steps = Axis(spanning: [1, 820], ticks: 5)
        #expect(steps.low == 1 && steps.high == 820 && steps.ticks == [200, 400, 600, 800])
    }

    @Test("labels are short")
    func labels() {
        #expect([0.1 + 0.2, 1e-17, 123456, 0.00001234, 1500].map(Axis.label) == ["0.3", "0", "1.235e5", "1.234e-5", "1500"])
    }

    @Test("text is safe inside of elements and attributes")
    func escaping() {
        #expect(Markup.escaped("<a href=\"x\" onclick='y'>&amp;") == "&lt;a href=&quot;x&quot; onclick=&#39;y&#39;&gt;&amp;amp;")
        #expect(Markup.escaped("a\u{0}b\u{1F}c\u{FFFF}\nd") == "a b c \nd")
    }
}
