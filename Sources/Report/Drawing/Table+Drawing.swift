extension Table {
    private static let size = 13.0
    private static let small = 10.5
    private static let gap = 14.0
    private static let rowHeight = 24.0
    private static let margin = 20.0

    /// The table as a picture, under its title.
    func png(titled title: String) throws(ReportError) -> [UInt8] {
        // Measured before the size of the picture is known.
        let ruler = try CairoPen(width: 1, height: 1)
        var widths = columns.map { ruler.width($0, size: Self.size, bold: true) }
        for row in rows {
            for (column, cell) in row.enumerated() where column < widths.count {
                let text = ruler.width(cell.text, size: Self.size, bold: column == 0 || cell.isBest)
                widths[column] = max(widths[column], text, ruler.width(cell.detail, size: Self.small, bold: false))
            }
        }
        // A name as long as a path would leave no room for the figures.
        if let first = widths.first { widths[0] = min(first, 360) }
        var start = 0
        for group in groups {
            let members = start..<min(start + group.columns, widths.count)
            let room = members.reduce(0) { $0 + widths[$1] } + Self.gap * Double(max(0, members.count - 1))
            let lacking = ruler.width(group.title, size: Self.size, bold: true) - room
            if lacking > 0, !members.isEmpty { for member in members { widths[member] += lacking / Double(members.count) } }
            start += group.columns
        }
        let heights = rows.map { row in row.contains { !$0.detail.isEmpty } ? Self.rowHeight + 13 : Self.rowHeight }
        let headHeight = (groups.isEmpty ? 0 : Self.rowHeight) + Self.rowHeight
        let width =
            max(
                widths.reduce(0) { $0 + $1 + Self.gap } - Self.gap, ruler.width(title, size: 15, bold: true)) + 2 * Self.margin
        let height = Self.margin + 26 + headHeight + heights.reduce(0, +) + Self.margin

        let pen = try CairoPen(width: width, height: height)
        pen.text(title, at: Point(Self.margin, Self.margin + 12), size: 15, .text, .start, bold: true)
        // The right end of every column; the left one of the first.
        var rights: [Double] = []
        var x = Self.margin
        for width in widths {
            rights.append(x + width)
            x += width + Self.gap
        }
        var y = Self.margin + 26
        if !groups.isEmpty {
            var start = 0
            for group in groups {
                let last = min(start + group.columns, widths.count) - 1
                if last >= start, !group.title.isEmpty {
                    let (left, right) = (rights[start] - widths[start], rights[last])
                    pen.text(
                        group.title, at: Point((left + right) / 2, y + 16), size: Self.size, .text, .middle, bold: true)
                    pen.line([Point(left, y + Self.rowHeight - 2), Point(right, y + Self.rowHeight - 2)], .line)
                }
                start += group.columns
            }
            y += Self.rowHeight
        }
        let (left, right) = (Self.margin, width - Self.margin)
        for (column, name) in columns.enumerated() {
            pen.text(
                name, at: Point(column == 0 ? left : rights[column], y + 16), size: Self.size, .muted,
                column == 0 ? .start : .end, bold: true)
        }
        y += Self.rowHeight
        for (row, height) in zip(rows, heights) {
            pen.line([Point(left, y - 1), Point(right, y - 1)], .line)
            for (column, cell) in row.enumerated() where column < widths.count {
                let place = Point(column == 0 ? left : rights[column], y + 16)
                let text = pen.fitted(cell.text, size: Self.size, bold: column == 0 || cell.isBest, to: widths[column])
                pen.text(text, at: place, size: Self.size, .text, column == 0 ? .start : .end, bold: column == 0 || cell.isBest)
                pen.text(
                    cell.detail, at: Point(place.x, place.y + 13), size: Self.small, .muted, column == 0 ? .start : .end,
                    bold: false)
            }
            y += height
        }
        return try pen.png()
    }
}
