/// A bag, standing on its bottom at 0 and about 200 units wide; straps rise above it.
struct Bag {
    let hide: Hide
    let view: View
    /// Whether it hangs by its strap; else the strap has sunk as far as it will.
    let hangs: Bool
    /// -1 or 1: to which side a loose strap falls, and which side of the bag is seen.
    let side: Double

    private var canvas: Canvas { hide.canvas }
    private var silhouette: Silhouette { hide.design.silhouette }
    private var isBack: Bool { view == .back }

    /// Half the width at bottom and top, the height, and how high straps rise.
    private static func measures(_ garment: Garment, hangs: Bool) -> (bottom: Double, top: Double, high: Double, strap: Double) {
        let (wide, tall) = (1 + 0.1 * garment.fit.flare, 1 + 0.1 * garment.fit.drop)
        return switch garment.design.silhouette {
        case .crossbody: (88 * wide, 84 * wide, 122 * tall, hangs ? 330 : 236)
        case .backpack: (82 * wide, 74 * wide, 222 * tall, 222 * tall + 36)
        case .clutch: (108 * wide, 106 * wide, 118 * tall, 118 * tall + 4)
        case .bucket: (66 * wide, 82 * wide, 158 * tall, hangs ? 330 : 268)
        default: (84 * wide, 102 * wide, 172 * tall, hangs ? 318 : 286)
        }
    }

    private var measures: (bottom: Double, top: Double, high: Double, strap: Double) { Self.measures(hide.garment, hangs: hangs) }

    static func extent(_ garment: Garment, hangs: Bool) -> Extent {
        let m = measures(garment, hangs: hangs)
        let half = max(m.bottom, m.top) + 24
        return Extent(left: -half, top: -m.strap - (hangs ? 26 : 6), right: half, bottom: 12)
    }

    func draw() {
        let m = measures
        if hangs {
            drawHook(at: Point(view == .side && silhouette != .bucket ? -18 * side : 0, -m.strap))
        } else {
            hide.shadow(Point(hide.light * -8, 1), m.bottom + 22, 15)
        }
        guard view == .side else { return drawFront() }
        // Turned: the front is narrower, and the gusset shows.
        // A bucket is round: it has no gusset, and is as wide from any side.
        guard silhouette != .bucket else { return canvas.moved(to: Point(0, 0), squeeze: 0.96 * side) { drawFront() } }
        let deep = silhouette == .clutch ? 12.0 : 40
        // What has a round top has no corner there.
        let shoulder = silhouette == .backpack ? m.high * 0.8 : m.high
        var gusset = Outline()
        gusset.move(Point(m.bottom * 0.62 - 2, 0))
        gusset.line(Point(m.bottom * 0.62 + deep, -deep * 0.22))
        gusset.line(Point(m.top * 0.62 + deep * 0.8, -shoulder + deep * 0.4))
        gusset.curve(
            Point(m.top * 0.62 + deep * 0.7, -shoulder - 2), Point(m.top * 0.62, -shoulder - 4), Point(m.top * 0.4, -shoulder + 6)
        )
        gusset.close()
        canvas.moved(to: Point(-18 * side, 0), squeeze: side) {
            lay(gusset, hide.cloth.ground.darker(0.24))
            hide.seam(
                Outline(
                    [Point(m.bottom * 0.62 + deep * 0.5, -4), Point(m.top * 0.62 + deep * 0.4, -shoulder + deep * 0.3)],
                    closed: false))
            canvas.moved(to: Point(0, 0), squeeze: 0.64) { drawFront() }
        }
    }

    private func lay(_ outline: Outline, _ ink: Ink? = nil) {
        let m = measures
        hide.lay(
            outline, ink, lit: Point(hide.light * m.top, -m.high * 0.9), dark: Point(-hide.light * m.bottom * 1.1, -m.high * 0.05)
        )
    }

    private func drawFront() {
        switch silhouette {
        case .crossbody: drawCrossbody()
        case .backpack: drawBackpack()
        case .clutch: drawClutch()
        case .bucket: drawBucket()
        default: drawTote()
        }
    }

    private func drawHook(at point: Point) {
        canvas.fill(Outline.ellipse(point + Point(0, -10), 11, 11), Ink(150, 148, 144))
        canvas.fill(Outline.ellipse(point + Point(-2, -12), 5, 5), Ink.white.opacity(0.5))
        canvas.stroke(Outline([point + Point(0, -4), point + Point(0, 6)], closed: false), Ink(120, 118, 116), width: 7)
    }

    /// A strap or handle: of leather, or a chain where the design has one.
    private func strap(_ points: [Point], width: Double, far: Bool = false) {
        let line = Outline.line(through: points)
        if hide.has(.chainStrap) {
            canvas.stroke(line, hide.metal.darker(0.5), width: 8)
            canvas.stroke(line, hide.metal, width: 6.4, dash: [2, 7.4])
            canvas.stroke(line, hide.metal.lighter(0.4), width: 2, dash: [1, 8.4])
            return
        }
        let ink = far ? strapInk.darker(0.34) : strapInk
        canvas.stroke(line, ink.darker(0.5), width: width + 2)
        canvas.stroke(line, ink, width: width)
        if !far { canvas.stroke(line.shifted(-width * 0.2, -width * 0.1), Ink.white.opacity(0.18), width: width * 0.25) }
    }

    /// Of many bags the straps are of another leather.
    private var strapInk: Ink {
        hide.garment.print.motif % 3 == 0 ? hide.cloth.trim : hide.cloth.ground.darker(0.12)
    }

    private func colourBlock(_ body: Outline) {
        guard hide.design.pattern == .colourBlock else { return }
        let m = measures
        canvas.clipped(to: body) {
            switch hide.garment.print.motif % 3 {
            case 0: canvas.fill(.rectangle(-150, -m.high * 0.42, 300, 200), hide.cloth.figure)
            case 1: canvas.fill(.rectangle(0, -300, 150, 320), hide.cloth.figure)
            default: canvas.fill(.rectangle(-m.bottom * 0.4, -300, m.bottom * 0.8, 320), hide.cloth.figure)
            }
        }
    }

    private func edge(_ body: Outline) {
        if hide.has(.piping) {
            canvas.stroke(body, hide.cloth.trim, width: 6)
        }
        canvas.stroke(body, Ink.shade.opacity(0.3), width: 1.2)
    }

    private func drawTote() {
        let m = measures
        let x = m.top * 0.46
        func handle(_ shift: Double, far: Bool) {
            let peak = -m.strap + (far ? 2 : 0)
            strap(
                [
                    Point(-x + shift, -m.high + (far ? 4 : 30)), Point(-x + shift + 2, -m.high - 30),
                    Point(-x * 0.62 + shift, peak + 22),
                    Point(shift, peak), Point(x * 0.62 + shift, peak + 22), Point(x + shift - 2, -m.high - 30),
                    Point(x + shift, -m.high + (far ? 4 : 30)),
                ], width: 10, far: far)
        }
        handle(9, far: true)
        canvas.fill(Outline.ellipse(Point(0, -m.high), m.top - 2, 9), hide.cloth.ground.darker(0.55))
        var body = Outline()
        body.move(Point(-m.top, -m.high))
        body.curve(Point(-m.top * 0.4, -m.high + 7), Point(m.top * 0.4, -m.high + 7), Point(m.top, -m.high))
        body.curve(Point(m.top - 2, -m.high * 0.6), Point(m.bottom + 4, -40), Point(m.bottom, -6))
        body.curve(Point(m.bottom * 0.5, 3), Point(-m.bottom * 0.5, 3), Point(-m.bottom, -6))
        body.curve(Point(-m.bottom - 4, -40), Point(-m.top + 2, -m.high * 0.6), Point(-m.top, -m.high))
        body.close()
        lay(body)
        colourBlock(body)
        canvas.clipped(to: body) {
            for at in [-0.5, 0.1, 0.55] {
                canvas.stroke(
                    .line(through: [
                        Point(m.top * at, -m.high * 0.8), Point(m.top * at + 8, -m.high * 0.4), Point(m.bottom * at - 6, -14),
                    ]), Ink.shade.opacity(0.1), width: 10)
            }
        }
        hide.stitch(
            Outline([Point(-m.top + 5, -m.high + 14), Point(0, -m.high + 19), Point(m.top - 5, -m.high + 14)], closed: false))
        edge(body)
        if hide.has(.zip), !isBack {
            hide.zip(
                Outline([Point(-m.top * 0.74, -m.high * 0.72), Point(m.top * 0.74, -m.high * 0.72)], closed: false), width: 8)
        }
        if hide.has(.frontPocket), !isBack {
            let pocket = Outline.rounded(-m.bottom * 0.58, -m.high * 0.56, m.bottom * 1.16, m.high * 0.46, radius: 9)
            canvas.fill(pocket.shifted(1, 3), Ink.shade.opacity(0.25))
            lay(pocket, hide.cloth.ground.lighter(0.05))
            hide.stitch(.rectangle(-m.bottom * 0.55, -m.high * 0.5, m.bottom * 1.1, 2))
        }
        handle(0, far: false)
        for side in [-1.0, 1] {
            lay(.rounded(side * x - 9, -m.high + 18, 18, 26, radius: 4), strapInk)
            hide.canvas.fill(Outline.ellipse(Point(side * x, -m.high + 37), 2.6, 2.6), hide.metal)
        }
        guard !isBack else { return }
        if hide.has(.buckle) {
            lay(.rounded(-13, -m.high - 6, 26, m.high * 0.46, radius: 6), strapInk)
            hide.buckle(at: Point(0, -m.high * 0.68), width: 32, height: 20)
        }
        if hide.has(.patch) { hide.label(at: Point(0, hide.has(.frontPocket) ? -m.high * 0.3 : -m.high * 0.5), 46, 28) }
        if hide.has(.tassel) { hide.tassel(at: Point(x + 4, -m.high - 12), length: 56) }
        if hide.has(.bow) { hide.bow(at: Point(-x + 2, -m.high - 26), size: 1.1) }
    }

    private func drawCrossbody() {
        let m = measures
        let half = m.bottom
        if hangs {
            strap([Point(-half + 6, -m.high + 16), Point(-half * 0.5, -m.high - 110), Point(0, -m.strap)], width: 8)
            strap([Point(half - 6, -m.high + 16), Point(half * 0.5, -m.high - 110), Point(0, -m.strap)], width: 8)
        } else {
            strap(
                [
                    Point(-half + 6, -m.high + 16), Point(-half * 0.86, -m.high - 50),
                    Point(-half * 0.3 + side * 14, -m.strap + 8),
                    Point(half * 0.3 + side * 14, -m.strap), Point(half * 0.9, -m.high - 46), Point(half - 6, -m.high + 16),
                ], width: 8)
        }
        let body = Outline.rounded(-half, -m.high, half * 2, m.high, radius: 20)
        lay(body)
        colourBlock(body)
        edge(body)
        if isBack {
            hide.stitch(.rounded(-half + 7, -m.high + 7, half * 2 - 14, m.high - 14, radius: 15))
            return hide.zip(Outline([Point(-half * 0.7, -m.high * 0.62), Point(half * 0.7, -m.high * 0.62)], closed: false))
        }
        if hide.has(.frontPocket) {
            // Without a flap: a zipped pocket below a zipped top.
            hide.zip(Outline([Point(-half * 0.8, -m.high + 16), Point(half * 0.8, -m.high + 16)], closed: false))
            let pocket = Outline.rounded(-half * 0.82, -m.high * 0.66, half * 1.64, m.high * 0.58, radius: 14)
            canvas.fill(pocket.shifted(1, 3), Ink.shade.opacity(0.25))
            lay(pocket)
            hide.zip(Outline([Point(-half * 0.7, -m.high * 0.56), Point(half * 0.7, -m.high * 0.56)], closed: false))
        } else {
            var flap = Outline()
            let low = -m.high * 0.36
            flap.move(Point(-half + 1, -m.high + 20))
            flap.curve(Point(-half + 1, -m.high + 6), Point(-half + 8, -m.high), Point(-half + 20, -m.high))
            flap.line(Point(half - 20, -m.high))
            flap.curve(Point(half - 8, -m.high), Point(half - 1, -m.high + 6), Point(half - 1, -m.high + 20))
            flap.curve(Point(half - 2, low - 6), Point(half * 0.6, low + 8), Point(0, low + 8))
            flap.curve(Point(-half * 0.6, low + 8), Point(-half + 2, low - 6), Point(-half + 1, -m.high + 20))
            flap.close()
            canvas.fill(flap.shifted(0, 5), Ink.shade.opacity(0.3))
            lay(flap)
            if hide.has(.piping) { canvas.stroke(flap, hide.cloth.trim, width: 5) }
            hide.stitch(flap.mapped { Point($0.x * 0.94, -m.high + ($0.y + m.high) * 0.9 + 5) })
            if hide.has(.buckle) {
                lay(.rounded(-11, low - 22, 22, 48, radius: 6), strapInk)
                hide.buckle(at: Point(0, low), width: 30, height: 20)
            } else {
                canvas.fill(Outline.ellipse(Point(0, low - 3), 13, 9), hide.metal.darker(0.4))
                canvas.fill(Outline.ellipse(Point(0, low - 4), 11.5, 7.6), hide.metal)
            }
        }
        for side in [-1.0, 1] {
            canvas.stroke(Outline.ellipse(Point(side * (half - 6), -m.high + 14), 6, 7), hide.metal, width: 3.4)
        }
        if hide.has(.patch) { hide.label(at: Point(half * 0.5, -20), 34, 18) }
        if hide.has(.tassel) { hide.tassel(at: Point(-half + 8, -m.high + 22), length: 60) }
    }

    private func drawBackpack() {
        let m = measures
        let half = m.bottom
        for side in [-1.0, 1] {
            // The padded straps bulge behind.
            strap(
                [
                    Point(side * half * 0.4, -m.high + 8), Point(side * (half + 11), -m.high * 0.72),
                    Point(side * (half + 4), -m.high * 0.2),
                ],
                width: 13, far: true)
        }
        strap(
            [
                Point(-22, -m.high + 4), Point(-19, -m.high - 26), Point(0, -m.high - 34), Point(19, -m.high - 26),
                Point(22, -m.high + 4),
            ],
            width: 9)
        for side in [-1.0, 1] {
            lay(.rounded(side * (half + 4) - 13, -m.high * 0.42, 26, m.high * 0.38, radius: 10), hide.cloth.ground.darker(0.2))
        }
        var body = Outline()
        body.move(Point(-half, -16))
        body.curve(Point(-half - 3, -m.high * 0.5), Point(-half + 2, -m.high * 0.7), Point(-m.top + 8, -m.high * 0.84))
        body.curve(Point(-m.top * 0.7, -m.high - 4), Point(m.top * 0.7, -m.high - 4), Point(m.top - 8, -m.high * 0.84))
        body.curve(Point(half - 2, -m.high * 0.7), Point(half + 3, -m.high * 0.5), Point(half, -16))
        body.curve(Point(half - 4, 2), Point(half - 14, 2), Point(half - 24, 2))
        body.line(Point(-half + 24, 2))
        body.curve(Point(-half + 14, 2), Point(-half + 4, 2), Point(-half, -16))
        body.close()
        lay(body)
        colourBlock(body)
        edge(body)
        if isBack {
            hide.stitch(.rounded(-half * 0.7, -m.high * 0.86, half * 1.4, m.high * 0.78, radius: 22))
            for side in [-1.0, 1] {
                strap(
                    [
                        Point(side * 18, -m.high + 22), Point(side * half * 0.62, -m.high * 0.66),
                        Point(side * half * 0.66, -m.high * 0.3),
                        Point(side * half * 0.84, -12),
                    ], width: 20)
                hide.buckle(at: Point(side * half * 0.68, -m.high * 0.26), width: 20, height: 13)
            }
            return
        }
        if hide.has(.buckle) {
            var flap = Outline()
            flap.move(Point(-m.top + 6, -m.high * 0.84))
            flap.curve(Point(-m.top * 0.7, -m.high - 5), Point(m.top * 0.7, -m.high - 5), Point(m.top - 6, -m.high * 0.84))
            flap.curve(Point(m.top, -m.high * 0.6), Point(m.top - 8, -m.high * 0.52), Point(m.top * 0.6, -m.high * 0.52))
            flap.line(Point(-m.top * 0.6, -m.high * 0.52))
            flap.curve(Point(-m.top + 8, -m.high * 0.52), Point(-m.top, -m.high * 0.6), Point(-m.top + 6, -m.high * 0.84))
            flap.close()
            canvas.fill(flap.shifted(0, 5), Ink.shade.opacity(0.3))
            lay(flap)
            for side in [-1.0, 1] {
                lay(.rounded(side * 34 - 7, -m.high * 0.66, 14, 64, radius: 4), strapInk)
                hide.buckle(at: Point(side * 34, -m.high * 0.46), width: 22, height: 17)
            }
        } else {
            hide.zip(
                .line(through: [
                    Point(-half + 7, -m.high * 0.48), Point(-m.top + 14, -m.high * 0.8), Point(0, -m.high * 0.945),
                    Point(m.top - 14, -m.high * 0.8), Point(half - 7, -m.high * 0.48),
                ]), width: 6)
        }
        if hide.has(.frontPocket) {
            let pocket = Outline.rounded(-half * 0.74, -m.high * 0.42, half * 1.48, m.high * 0.38, radius: 16)
            canvas.fill(pocket.shifted(1, 4), Ink.shade.opacity(0.28))
            lay(pocket, hide.garment.print.motif % 2 == 0 ? hide.cloth.trim : nil)
            hide.zip(
                .line(through: [
                    Point(-half * 0.62, -m.high * 0.33), Point(0, -m.high * 0.37), Point(half * 0.62, -m.high * 0.33),
                ]))
        }
        if hide.has(.zip) {
            // Below a flap, where there is one.
            let y = -m.high * (hide.has(.buckle) ? (hide.has(.frontPocket) ? 0.1 : 0.22) : 0.5)
            hide.zip(Outline([Point(-half * 0.6, y), Point(half * 0.6, y - m.high * 0.05)], closed: false), width: 9)
        }
        if hide.has(.patch) { hide.label(at: Point(0, -m.high * 0.7), 44, 32) }
        if hide.has(.tassel) { hide.tassel(at: Point(half * 0.62, -m.high * 0.34), length: 40) }
    }

    private func drawClutch() {
        let m = measures
        let half = m.bottom
        if hide.has(.chainStrap) {
            strap(
                [
                    Point(half - 8, -m.high + 10), Point(half + 18, -m.high * 0.5), Point(half * 0.7, 2), Point(half * 0.1, 6),
                    Point(-half * 0.4, -2),
                ], width: 5)
        }
        let body = Outline.rounded(-half, -m.high, half * 2, m.high, radius: 9)
        lay(body)
        colourBlock(body)
        edge(body)
        if isBack { return hide.stitch(.rounded(-half + 7, -m.high + 7, half * 2 - 14, m.high - 14, radius: 6)) }
        if hide.has(.zip) {
            hide.zip(Outline([Point(-half + 10, -m.high + 12), Point(half - 10, -m.high + 12)], closed: false), width: 9)
            lay(.rounded(half - 26, -m.high + 10, 10, 30, radius: 4), strapInk)
        } else {
            // An envelope's flap.
            let flap = Outline([
                Point(-half + 1, -m.high), Point(half - 1, -m.high), Point(10, -m.high * 0.3), Point(-10, -m.high * 0.3),
            ])
            canvas.fill(flap.shifted(0, 5), Ink.shade.opacity(0.3))
            lay(flap)
            if hide.has(.piping) { canvas.stroke(flap, hide.cloth.trim, width: 5) }
            canvas.fill(Outline.ellipse(Point(0, -m.high * 0.36), 8, 8), hide.metal)
            canvas.stroke(Outline.ellipse(Point(0, -m.high * 0.36), 8, 8), hide.metal.darker(0.5), width: 1.4)
        }
        if hide.has(.bow) { hide.bow(at: Point(0, -m.high * 0.44), size: 1.5) }
        if hide.has(.buckle) {
            lay(.rectangle(-13, -m.high, 26, m.high), strapInk)
            hide.buckle(at: Point(0, -m.high * 0.42), width: 40, height: 30)
        }
        if hide.has(.tassel) { hide.tassel(at: Point(half - 20, -m.high + 26), length: 56) }
    }

    private func drawBucket() {
        let m = measures
        let spread = hangs ? 0.0 : side * 18
        strap(
            [
                Point(-m.top + 6, -m.high + 12), Point(-m.top * 0.7 + spread, -m.strap + 60), Point(spread, -m.strap),
                Point(m.top * 0.7 + spread, -m.strap + 60), Point(m.top - 6, -m.high + 12),
            ], width: 11)
        canvas.fill(Outline.ellipse(Point(0, -m.high), m.top - 3, 15), hide.cloth.ground.darker(0.6))
        let isGathered = hide.has(.drawstring)
        var body = Outline()
        body.move(Point(-m.top, -m.high))
        body.curve(Point(-m.top * 0.5, -m.high + 17), Point(m.top * 0.5, -m.high + 17), Point(m.top, -m.high))
        if isGathered {
            body.curve(Point(m.top * 0.82, -m.high + 18), Point(m.top * 0.86, -m.high + 34), Point(m.top * 1.02, -m.high * 0.6))
        }
        body.curve(Point(m.top, -m.high * 0.5), Point(m.bottom + 8, -30), Point(m.bottom, -10))
        body.curve(Point(m.bottom * 0.5, 6), Point(-m.bottom * 0.5, 6), Point(-m.bottom, -10))
        body.curve(
            Point(-m.bottom - 8, -30), Point(-m.top, -m.high * 0.5),
            isGathered ? Point(-m.top * 1.02, -m.high * 0.6) : Point(-m.top, -m.high))
        if isGathered {
            body.curve(Point(-m.top * 0.86, -m.high + 34), Point(-m.top * 0.82, -m.high + 18), Point(-m.top, -m.high))
        }
        body.close()
        lay(body)
        colourBlock(body)
        edge(body)
        canvas.clipped(to: body) {
            // Round: darker at both sides.
            canvas.fill(
                body,
                .linear(
                    Point(-m.top, 0), Point(m.top, 0),
                    [
                        (0, Ink.shade.opacity(0.28)), (0.3, Ink.white.opacity(0.1)), (0.6, Ink.shade.opacity(0)),
                        (1, Ink.shade.opacity(0.3)),
                    ]))
            canvas.fill(.rectangle(-120, -24, 240, 40), hide.cloth.ground.darker(0.22))
            if isGathered {
                for step in -4...4 {
                    let x = Double(step) * m.top * 0.2
                    canvas.stroke(
                        .line(through: [Point(x, -m.high), Point(x * 0.9, -m.high + 28), Point(x * 1.04, -m.high * 0.5)]),
                        Ink.shade.opacity(0.2), width: 5)
                }
            }
        }
        hide.stitch(.line(through: [Point(-m.bottom - 4, -26), Point(0, -18), Point(m.bottom + 4, -26)]))
        if isGathered {
            canvas.stroke(
                .line(through: [Point(-m.top * 0.86, -m.high + 24), Point(0, -m.high + 38), Point(m.top * 0.86, -m.high + 24)]),
                hide.cloth.trim, width: 5)
            if !isBack {
                for (end, bend) in [(Point(-16, -m.high + 104), -22.0), (Point(20, -m.high + 96), 26)] {
                    canvas.stroke(
                        .line(through: [Point(0, -m.high + 38), Point(bend, -m.high + 66), end]), hide.cloth.trim, width: 5)
                    canvas.fill(Outline.ellipse(end, 5, 8), hide.cloth.trim.darker(0.2))
                }
            }
        }
        for side in [-1.0, 1] {
            canvas.fill(Outline.ellipse(Point(side * (m.top - 8), -m.high + 16), 6, 6), hide.metal)
        }
        guard !isBack else { return }
        if hide.has(.frontPocket) {
            let pocket = Outline.rounded(-m.bottom * 0.62, -m.high * 0.52, m.bottom * 1.24, m.high * 0.38, radius: 10)
            canvas.fill(pocket.shifted(1, 3), Ink.shade.opacity(0.26))
            lay(pocket, hide.cloth.ground.lighter(0.05))
            lay(.rounded(-m.bottom * 0.62, -m.high * 0.52, m.bottom * 1.24, 17, radius: 8), hide.cloth.trim)
        }
        if hide.has(.patch) { hide.label(at: Point(0, -m.high * 0.24), 42, 26) }
        if hide.has(.tassel) { hide.tassel(at: Point(m.top - 12, -m.high + 24), length: 64) }
    }
}
