/// What shoes and bags are made of, and the hand that sews it.
struct Hide {
    let canvas: Canvas
    let garment: Garment
    let cloth: Cloth
    /// -1: the light comes from the left, 1: from the right.
    let light: Double
    private let tile: Tile?

    static let gold = Ink(206, 172, 96)
    static let steel = Ink(186, 188, 194)

    init(canvas: Canvas, garment: Garment, swatch: Swatch, scale: Double, light: Double) throws(AtelierError) {
        self.canvas = canvas
        self.garment = garment
        self.light = light
        cloth = Cloth(swatch, garment.print)
        // Patterns are made for dresses: on a shoe they are smaller.
        var tile = try Prints.tile(garment, cloth, scale: scale * 0.62)
        tile?.resolution /= 0.62 * 0.62
        self.tile = tile
    }

    var design: Design { garment.design }
    func has(_ detail: Detail) -> Bool { design.details.contains(detail) }
    var metal: Ink { garment.print.motif % 2 == 0 ? Self.gold : Self.steel }

    /// Fills a piece with the ground, or an ink of its own, and the pattern.
    /// - Parameters:
    ///   - lit: where the light meets the piece.
    ///   - dark: where it turns away from the light.
    func lay(_ outline: Outline, _ ink: Ink? = nil, lit: Point, dark: Point) {
        canvas.fill(outline, .ink(ink ?? cloth.ground))
        if ink == nil, let tile { canvas.fill(outline, .tile(tile)) }
        canvas.fill(
            outline,
            .linear(
                lit, dark,
                [
                    (0, Ink.white.opacity(0.2)), (0.35, Ink.white.opacity(0.04)), (0.6, Ink.shade.opacity(0.05)),
                    (1, Ink.shade.opacity(0.36)),
                ]))
        canvas.stroke(outline, (ink ?? cloth.ground).darker(0.7).opacity(0.55), width: 1.3)
    }

    /// The light edge of what is rounded.
    func shine(_ outline: Outline, width: Double = 4, _ alpha: Double = 0.2) {
        canvas.stroke(outline, Ink.white.opacity(alpha), width: width)
    }

    func seam(_ outline: Outline) {
        canvas.stroke(outline.shifted(0, 1.2), Ink.white.opacity(0.16), width: 1.2)
        canvas.stroke(outline, thread, width: 1.3)
    }

    func stitch(_ outline: Outline) { canvas.stroke(outline, thread, width: 1.2, dash: [3.4, 2.4]) }

    private var thread: Ink { cloth.ground.luma < 0.25 ? Ink.white.opacity(0.36) : Ink.shade.opacity(0.42) }

    /// A shadow on what lies below, soft at its edge.
    func shadow(_ center: Point, _ width: Double, _ height: Double) {
        canvas.moved(to: center, scale: height / 100, squeeze: width / height) {
            canvas.fill(
                Outline.ellipse(Point(0, 0), 100, 100),
                .radial(
                    Point(0, 0), radius: 100,
                    [(0, Ink.shade.opacity(0.5)), (0.55, Ink.shade.opacity(0.32)), (1, Ink.shade.opacity(0))]))
        }
    }

    /// A frame of metal with its pin, on a strap.
    func buckle(at center: Point, width: Double = 16, height: Double = 14) {
        let frame = Outline.rectangle(center.x - width / 2, center.y - height / 2, width, height)
        canvas.stroke(frame, metal.darker(0.45), width: 4.4)
        canvas.stroke(frame, metal, width: 3)
        canvas.stroke(Outline([center + Point(-width / 2, 0), center + Point(width * 0.3, 0)], closed: false), metal, width: 2)
    }

    func tassel(at point: Point, length: Double = 30) {
        for step in -3...3 {
            let x = Double(step)
            canvas.stroke(
                Outline([point, point + Point(x * 1.4, length * 0.5), point + Point(x * 2.4, length)], closed: false),
                step % 2 == 0 ? cloth.trim : cloth.trim.darker(0.25), width: 3)
        }
        canvas.fill(Outline.ellipse(point + Point(0, 4), 5, 7), cloth.trim.lighter(0.1))
        canvas.stroke(Outline.ellipse(point + Point(0, 4), 5, 7), Ink.shade.opacity(0.4), width: 1)
    }

    func zip(_ line: Outline, width: Double = 7) {
        canvas.stroke(line, Ink.shade.opacity(0.5), width: width)
        canvas.stroke(line, metal, width: width * 0.5, dash: [2.2, 2.6])
    }

    /// Two loops and two ends.
    func bow(at center: Point, size: Double) {
        canvas.moved(to: center, scale: size) {
            for side in [-1.0, 1] {
                var loop = Outline()
                loop.move(Point(0, 0))
                loop.curve(Point(side * 12, -18), Point(side * 34, -20), Point(side * 33, -2))
                loop.curve(Point(side * 34, 14), Point(side * 12, 12), Point(0, 0))
                loop.close()
                let end = Outline([Point(0, 0), Point(side * 22, 22), Point(side * 10, 26)])
                for piece in [end, loop] {
                    canvas.fill(piece, cloth.trim)
                    canvas.stroke(piece, Ink.shade.opacity(0.4), width: 1.3)
                }
            }
            canvas.fill(Outline.ellipse(Point(0, 0), 7, 8), cloth.trim.lighter(0.1))
            canvas.stroke(Outline.ellipse(Point(0, 0), 7, 8), Ink.shade.opacity(0.4), width: 1.2)
        }
    }

    func label(at center: Point, _ width: Double, _ height: Double) {
        let label = Outline.rectangle(center.x - width / 2, center.y - height / 2, width, height)
        canvas.fill(label.shifted(1, 1.6), Ink.shade.opacity(0.3))
        canvas.fill(label, cloth.trim)
        canvas.stroke(label, Ink.shade.opacity(0.45), width: 1.2)
        stitch(.rectangle(center.x - width / 2 + 3, center.y - height / 2 + 3, width - 6, height - 6))
    }
}

/// A part of the plane, in units.
struct Extent {
    var left: Double
    var top: Double
    var right: Double
    var bottom: Double
}

extension Outline {
    /// An open smooth curve.
    static func line(through points: [Point]) -> Outline {
        var line = Outline()
        line.move(points[0])
        line.through(Array(points.dropFirst()))
        return line
    }

    /// - Parameter radius: of the corners, at most half of the shorter side.
    static func rounded(_ left: Double, _ top: Double, _ width: Double, _ height: Double, radius: Double) -> Outline {
        let (right, bottom) = (left + width, top + height)
        let reach = radius * 0.45
        var shape = Outline()
        shape.move(Point(left + radius, top))
        shape.line(Point(right - radius, top))
        shape.curve(Point(right - reach, top), Point(right, top + reach), Point(right, top + radius))
        shape.line(Point(right, bottom - radius))
        shape.curve(Point(right, bottom - reach), Point(right - reach, bottom), Point(right - radius, bottom))
        shape.line(Point(left + radius, bottom))
        shape.curve(Point(left + reach, bottom), Point(left, bottom - reach), Point(left, bottom - radius))
        shape.line(Point(left, top + radius))
        shape.curve(Point(left, top + reach), Point(left + reach, top), Point(left + radius, top))
        shape.close()
        return shape
    }
}
