import Foundation

extension Report {
    /// Writes `index.html` and a PNG file for each figure into a folder, which is made if it isn't there. Files of these names are replaced,
    /// others left.
    /// - Returns: the names of the files.
    /// - Throws: `.noWrite`, `.drawing`.
    @discardableResult
    public func write(to folder: String) throws(ReportError) -> [String] {
        let thumbnails = Thumbnails(of: picturePaths)
        // Everything is made before anything is written: a report appears as a whole, or not.
        var files: [(name: String, bytes: [UInt8])] = []
        for figure in sections.flatMap(\.figures) {
            if let png = try Self.png(of: figure, thumbnails) { files.append(("\(figure.name).png", png)) }
        }
        files.append(("index.html", Array(Page(self, thumbnails: thumbnails).html.utf8)))
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw .noWrite(path: folder, reason: Self.reason(error))
        }
        for file in files {
            let path = "\(folder)/\(file.name)"
            do { try Data(file.bytes).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
                throw .noWrite(path: path, reason: Self.reason(error))
            }
        }
        return files.map(\.name)
    }

    private var picturePaths: Set<String> {
        var paths: Set<String> = []
        for case .grid(let grid) in sections.flatMap(\.figures).map(\.content) { paths.formUnion(grid.pictures.map(\.path)) }
        return paths.subtracting([""])
    }

    private static func png(of figure: Figure, _ thumbnails: Thumbnails) throws(ReportError) -> [UInt8]? {
        switch figure.content {
        case .table(let table): return try table.png(titled: figure.title)
        case .bars(let chart): return try chart.png(titled: figure.title)
        case .grid(let grid): return try grid.png(titled: figure.title, thumbnails)
        case .charts(let charts): return try png(of: charts, titled: figure.title)
        case .definitions: return nil
        }
    }

    /// Panels in rows of at most three.
    private static func png(of charts: [LineChart], titled title: String) throws(ReportError) -> [UInt8] {
        let columns = max(1, min(3, charts.count))
        let rows = stride(from: 0, to: charts.count, by: columns).map { Array(charts[$0..<min($0 + columns, charts.count)]) }
        let heights = rows.map { $0.map(\.height).max() ?? 0 }
        let (margin, gap) = (20.0, 16.0)
        let pen = try CairoPen(
            width: Double(columns) * (LineChart.width + gap) - gap + 2 * margin,
            height: margin + 28 + heights.reduce(0) { $0 + $1 + gap } + margin)
        pen.text(title, at: Point(margin, margin + 12), size: 15, .text, .start, bold: true)
        var y = margin + 28
        for (row, height) in zip(rows, heights) {
            for (column, chart) in row.enumerated() {
                chart.draw(with: pen, at: Point(margin + Double(column) * (LineChart.width + gap), y))
            }
            y += height + gap
        }
        return try pen.png()
    }

    /// What Foundation says of files, without the name that the sentence has already.
    private static func reason(_ error: any Error) -> String {
        let error = error as NSError
        let inner = (error.userInfo[NSUnderlyingErrorKey] as? NSError) ?? error
        return inner.domain == NSPOSIXErrorDomain ? String(cString: strerror(Int32(inner.code))) : error.localizedDescription
    }
}
