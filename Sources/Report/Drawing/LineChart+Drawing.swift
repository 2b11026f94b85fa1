extension LineChart {
    /// The size of a panel, in pixels of a page.
    static let width = 360.0

    var height: Double { 226 + legendBottom - 26 }

    /// Draws the panel with its top left at a point.
    func draw(with pen: some Pen, at origin: Point) {
        func at(_ x: Double, _ y: Double) -> Point { Point(origin.x + x, origin.y + y) }
        pen.text(title, at: at(8, 18), size: 13, .text, .start, bold: true)
        drawLegend(with: pen, at: origin)
        let markTop = legendBottom + (marks.isEmpty ? 4 : 16)
        let plot = Rectangle(52, markTop, Self.width - 52 - 14, height - markTop - 36)

        let thinned = series.map { Self.thinned($0.points) }
        let vertical = Axis(fitting: thinned.lazy.flatMap { $0.map(\.y) }, ticks: 4)
        let horizontal = Axis(
            spanning: series.flatMap { $0.points.map(\.x) } + marks.map(\.x)
                + (range.map { [$0.lowerBound, $0.upperBound] } ?? []), ticks: 5)
        func place(_ x: Double, _ y: Double) -> Point {
            at(
                plot.x + min(max(horizontal.share(x), 0), 1) * plot.width,
                plot.y + (1 - min(max(vertical.share(y), 0), 1)) * plot.height)
        }
        for tick in vertical.ticks {
            let y = place(horizontal.low, tick).y
            pen.line([Point(origin.x + plot.x, y), Point(origin.x + plot.x + plot.width, y)], .line)
            pen.text(Axis.label(tick), at: Point(origin.x + plot.x - 6, y + 3.5), size: 10.5, .muted, .end, bold: false)
        }
        let bottom = plot.y + plot.height
        for tick in horizontal.ticks {
            let x = place(tick, vertical.low).x
            pen.line([Point(x, origin.y + bottom), Point(x, origin.y + bottom + 4)], .line)
            pen.text(Axis.label(tick), at: Point(x, origin.y + bottom + 16), size: 10.5, .muted, .middle, bold: false)
        }
        pen.text(axis, at: at(plot.x + plot.width, bottom + 30), size: 10.5, .muted, .end, bold: false)
        for (number, points) in thinned.enumerated() {
            let line = points.map { place($0.x, $0.y) }
            pen.line(line, .series(number), width: 1.8, dash: Ink.dash(ofSeries: number))
            // A curve of a few points shows them; one of a single point is nothing else.
            if points.count <= 24 {
                for point in line { pen.fill(Rectangle(point.x - 2.2, point.y - 2.2, 4.4, 4.4), .series(number), radius: 2.2) }
            }
        }
        for mark in marks {
            let x = place(mark.x, vertical.low).x
            pen.line(
                [Point(x, origin.y + plot.y), Point(x, origin.y + bottom)], .text, width: 1.2, dash: [3, 3])
            let room = TextWidth.estimate(mark.label, size: 10.5) / 2
            let middle = min(max(x, origin.x + plot.x + room), origin.x + plot.x + plot.width - room)
            pen.text(mark.label, at: Point(middle, origin.y + plot.y - 5), size: 10.5, .text, .middle, bold: true)
        }
    }

    /// Where the name of each curve begins, in as many lines as they need; none for a single curve, which the title names.
    private var legend: [Point] {
        guard series.count > 1 else { return [] }
        var (x, y) = (8.0, 36.0)
        return series.map { series in
            let width = 26 + TextWidth.estimate(series.name, size: 10.5) + 10
            if x > 8, x + width > Self.width - 4 { (x, y) = (8, y + 15) }
            defer { x += width }
            return Point(x, y)
        }
    }

    private var legendBottom: Double { legend.last.map { $0.y + 6 } ?? 26 }

    private func drawLegend(with pen: some Pen, at origin: Point) {
        for (number, place) in legend.enumerated() {
            let (x, y) = (origin.x + place.x, origin.y + place.y)
            pen.line([Point(x, y - 4), Point(x + 20, y - 4)], .series(number), width: 2.2, dash: Ink.dash(ofSeries: number))
            pen.text(series[number].name, at: Point(x + 26, y), size: 10.5, .text, .start, bold: false)
        }
    }
}
