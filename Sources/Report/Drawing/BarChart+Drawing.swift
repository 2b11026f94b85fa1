import Retrieval

extension BarChart {
    private static let columnWidth = 380.0
    private static let margin = 20.0
    private static let barHeight = 17.0

    /// The bars as a picture, under their title; many groups stand in two columns.
    func png(titled title: String) throws(ReportError) -> [UInt8] {
        let models = models
        let columns = groups.count > 8 ? 2 : 1
        let perColumn = (groups.count + columns - 1) / columns
        func height(_ group: Group) -> Double { 22 + Double(group.bars.count) * Self.barHeight + 8 }
        let parts = stride(from: 0, to: groups.count, by: max(1, perColumn)).map {
            Array(groups[$0..<min($0 + perColumn, groups.count)])
        }
        let legendHeight = Double(models.count) * 18 + 8
        let longest = parts.map { $0.reduce(0) { $0 + height($1) } }.max() ?? 0
        let ruler = try CairoPen(width: 1, height: 1)
        let width = max(
            Double(max(1, parts.count)) * (Self.columnWidth + Self.margin) + Self.margin,
            ruler.width(title, size: 15, bold: true) + 2 * Self.margin)
        let top = Self.margin + 26 + legendHeight
        let pen = try CairoPen(width: width, height: top + longest + Self.margin)
        pen.text(title, at: Point(Self.margin, Self.margin + 12), size: 15, .text, .start, bold: true)
        for (number, model) in models.enumerated() {
            let y = Self.margin + 28 + Double(number) * 18
            pen.fill(Rectangle(Self.margin, y, 12, 12), .series(number), radius: 3)
            pen.text(
                pen.fitted(model, size: 12, to: width - 3 * Self.margin), at: Point(Self.margin + 20, y + 10.5), size: 12, .text,
                .start,
                bold: false)
        }
        for (column, part) in parts.enumerated() {
            let x = Self.margin + Double(column) * (Self.columnWidth + Self.margin)
            var y = top
            for group in part {
                let note = group.note.isEmpty ? "" : "  \(group.note)"
                let noteWidth = pen.width(note, size: 11, bold: false)
                let label = pen.fitted(group.label, size: 12, bold: true, to: Self.columnWidth - noteWidth)
                pen.text(label, at: Point(x, y + 14), size: 12, .text, .start, bold: true)
                pen.text(
                    note, at: Point(x + pen.width(label, size: 12, bold: true), y + 14), size: 11, .muted, .start, bold: false)
                y += 22
                for bar in group.bars {
                    draw(bar, models, with: pen, at: Point(x, y))
                    y += Self.barHeight
                }
                y += 8
            }
        }
        return try pen.png()
    }

    private func draw(_ bar: Bar, _ models: [String], with pen: CairoPen, at origin: Point) {
        let width = Self.columnWidth - 52
        func x(_ share: Double) -> Double { origin.x + min(max(share, 0), 1) * width }
        pen.fill(Rectangle(origin.x, origin.y, width, 11), .track, radius: 3)
        if bar.value > 0 {
            pen.fill(
                Rectangle(origin.x, origin.y, x(bar.value) - origin.x, 11), .series(models.firstIndex(of: bar.model) ?? 0),
                radius: 3)
        }
        if let interval = bar.interval, interval.high > interval.low {
            // With a hem, so that it is seen on every colour.
            for (ink, width) in [(Ink.surface, 3.6), (.text, 1.6)] {
                pen.line([Point(x(interval.low), origin.y + 5.5), Point(x(interval.high), origin.y + 5.5)], ink, width: width)
            }
        }
        pen.text(
            Table.number(bar.value), at: Point(origin.x + Self.columnWidth, origin.y + 10), size: 11.5, .text, .end, bold: false)
    }
}
