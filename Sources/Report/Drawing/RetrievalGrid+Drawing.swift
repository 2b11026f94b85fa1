import Imaging

extension RetrievalGrid {
    private static let margin = 20.0
    private static let shot = (width: 92.0, height: 116.0)
    private static let gap = 10.0
    private static let askedWidth = 150.0
    /// Of one model's row: its name, its pictures, mark and score, caption.
    private static let listHeight = 20.0 + 116 + 32

    /// The grid as a picture, under its title.
    func png(titled title: String, _ thumbnails: Thumbnails) throws(ReportError) -> [UInt8] {
        let most = queries.flatMap { $0.lists.map(\.results.count) }.max() ?? 0
        let ruler = try CairoPen(width: 1, height: 1)
        let width = max(
            2 * Self.margin + Self.askedWidth + Self.gap + Double(most) * (Self.shot.width + Self.gap),
            ruler.width(title, size: 15, bold: true) + 2 * Self.margin)
        func height(_ query: Query) -> Double { max(Double(query.lists.count), 1) * Self.listHeight + 14 }
        // Photos fill most of it: at twice the page's size their files would be very large.
        let pen = try CairoPen(
            scale: 1.5, width: width, height: Self.margin + 30 + queries.reduce(0) { $0 + height($1) } + Self.margin)
        pen.text(title, at: Point(Self.margin, Self.margin + 12), size: 15, .text, .start, bold: true)
        var y = Self.margin + 30
        for query in queries {
            pen.line([Point(Self.margin, y), Point(width - Self.margin, y)], .line)
            drawAsked(query, with: pen, at: Point(Self.margin, y + 10), room: height(query) - 24, thumbnails)
            var top = y + 10
            for list in query.lists {
                draw(
                    list, with: pen, at: Point(Self.margin + Self.askedWidth + Self.gap, top), to: width - Self.margin, thumbnails
                )
                top += Self.listHeight
            }
            y += height(query)
        }
        return try pen.png()
    }

    private func drawAsked(
        _ query: Query, with pen: CairoPen, at origin: Point, room: Double, _ thumbnails: Thumbnails
    ) {
        var y = origin.y
        if let picture = query.picture {
            let box = Rectangle(origin.x, y, Self.askedWidth - 14, Self.shot.height + 14)
            draw(picture, with: pen, in: box, thumbnails)
            y += box.height + 6
        }
        let isText = query.picture == nil
        for line in Self.lines(query.label, size: 11, bold: isText, room: Self.askedWidth - 10, with: pen) {
            guard y + 14 <= origin.y + room else { return }
            pen.text(
                line, at: Point(origin.x, y + 11), size: 11, isText ? .text : .muted, .start, bold: isText)
            y += 14
        }
    }

    private func draw(
        _ list: ResultList, with pen: CairoPen, at origin: Point, to right: Double, _ thumbnails: Thumbnails
    ) {
        let name = pen.fitted(list.model, size: 12, bold: true, to: right - origin.x)
        pen.text(name, at: Point(origin.x, origin.y + 11), size: 12, .text, .start, bold: true)
        let end = origin.x + pen.width(name, size: 12, bold: true) + 8
        pen.text(
            pen.fitted(list.note, size: 11, to: max(0, right - end)), at: Point(end, origin.y + 11), size: 11, .muted, .start,
            bold: false)
        for (place, result) in list.results.enumerated() {
            let x = origin.x + Double(place) * (Self.shot.width + Self.gap)
            let box = Rectangle(x, origin.y + 20, Self.shot.width, Self.shot.height)
            let inner = Rectangle(x + 3, box.y + 3, box.width - 6, box.height - 6)
            if result.picture.path.isEmpty {
                for (number, line) in Self.lines(result.picture.alt, size: 10, room: inner.width - 4, with: pen).prefix(8)
                    .enumerated()
                {
                    pen.text(
                        line, at: Point(inner.x + 3, inner.y + 13 + 13 * Double(number)), size: 10, .text, .start, bold: false)
                }
            } else {
                draw(result.picture, with: pen, in: inner, thumbnails)
            }
            let ink: Ink = result.isHit ? .hit : .miss
            pen.frame(
                Rectangle(box.x + 1, box.y + 1, box.width - 2, box.height - 2), ink, width: 2.5,
                dash: result.isHit ? [] : [6, 5], radius: 5)
            drawMark(isHit: result.isHit, with: pen, at: Point(x, box.y + box.height + 4))
            pen.text(
                result.isHit ? "hit" : "miss", at: Point(x + 15, box.y + box.height + 13), size: 10.5, ink, .start, bold: true)
            pen.text(
                Table.number(Double(result.score)), at: Point(x + box.width, box.y + box.height + 13), size: 10.5, .text, .end,
                bold: false)
            pen.text(
                pen.fitted(result.caption, size: 9.5, to: box.width), at: Point(x, box.y + box.height + 25), size: 9.5, .muted,
                .start,
                bold: false)
        }
    }

    /// A tick or a cross, as strokes: not every font has them.
    private func drawMark(isHit: Bool, with pen: CairoPen, at origin: Point) {
        if isHit {
            pen.line(
                [Point(origin.x + 1, origin.y + 5), Point(origin.x + 4.5, origin.y + 9), Point(origin.x + 11, origin.y + 1)],
                .hit,
                width: 2.2)
        } else {
            for (one, other) in [((2.0, 1.0), (10.0, 9.0)), ((2.0, 9.0), (10.0, 1.0))] {
                pen.line(
                    [Point(origin.x + one.0, origin.y + one.1), Point(origin.x + other.0, origin.y + other.1)], .miss, width: 2.2)
            }
        }
    }

    private func draw(_ picture: Picture, with pen: CairoPen, in box: Rectangle, _ thumbnails: Thumbnails) {
        if let thumbnail = thumbnails[picture.path] {
            pen.picture(thumbnail.image, in: box)
        } else {
            pen.text(
                "can't be read", at: Point(box.x + box.width / 2, box.y + box.height / 2), size: 10.5, .muted, .middle,
                bold: false)
        }
    }

    /// A text in lines that fit.
    private static func lines(_ text: String, size: Double, bold: Bool = false, room: Double, with pen: CairoPen) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            let longer = line.isEmpty ? String(word) : "\(line) \(word)"
            if !line.isEmpty, pen.width(longer, size: size, bold: bold) > room {
                lines.append(line)
                line = String(word)
            } else {
                line = longer
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines.map { pen.fitted($0, size: size, bold: bold, to: room) }
    }
}
