/// The legs of trousers.
struct Legs {
    let design: Design
    let fit: Fit
    let stance: Stance

    /// Half the width of a leg at thigh, knee and hem, and the hem's height.
    private var measures: (thigh: Double, knee: Double, hem: Double, bottom: Double) {
        let cropped = design.length == .cropped
        let wide = 1 + 0.12 * fit.flare
        return switch design.silhouette {
        case .slim, .skinnyJeans: (37, 23 * wide, cropped ? 19 : 14, cropped ? 692 : 768)
        case .wide: (42, 46 * wide, 58 * wide, cropped ? 692 : 778)
        case .culottes: (44, 56 * wide, 68 * wide, 622 + 16 * fit.drop)
        case .bootcut, .flaredJeans: (37, 25, cropped ? 32 * wide : 44 * wide, cropped ? 692 : 778)
        case .joggers: (41, 35 * wide, 21, 756)
        case .denimShorts: (41, 45 * wide, 47 * wide, 520 + 12 * fit.drop)
        case .chinoShorts: (41, 42 * wide, 44 * wide, 545 + 12 * fit.drop)
        case .sportShorts: (42, 47 * wide, 50 * wide, 514 + 14 * fit.drop)
        case .bermuda: (40, 40 * wide, 41 * wide, 602 + 12 * fit.drop)
        default: (39, 32 * wide, 31 * wide, cropped ? 692 : 774)
        }
    }

    /// Whether it is held by elastic instead of a button.
    static func isElastic(_ silhouette: Silhouette) -> Bool { silhouette == .joggers || silhouette == .sportShorts }

    /// The height at which a leg changes its direction: the knee, or half-way down shorts.
    private var knee: Double { min(585, 430 + (bottom - 430) * 0.5) }

    var bottom: Double { measures.bottom }

    /// The middle of a leg: wide legs stand apart at the hem, or they would look like a skirt.
    private func axis(_ side: Double, _ y: Double) -> Double {
        let m = measures
        let apart = max(stance.spread * 0.9, m.hem + 5 - 36)
        return side * (36 + apart * (y - 430) / (m.bottom - 430))
    }

    private func right(_ side: Double) -> Outline {
        // From the outside of the hip down, round the hem and up to the crotch, on the right; mirrored it is the left.
        let m = measures
        let knee = knee
        var leg = Outline()
        leg.move(Point(53, 292))
        leg.curve(Point(60, 325), Point(74, 350), Point(76, 390))
        let drop = knee - 390
        leg.curve(
            Point(78, 390 + drop * 0.27), Point(axis(1, knee) + m.knee + 4 * drop / 195, knee - drop * 0.31),
            Point(axis(1, knee) + m.knee, knee))
        // Straight from knee to hem, or a wide leg would bulge.
        let (outerKnee, outerHem) = (Point(axis(1, knee) + m.knee, knee), Point(axis(1, m.bottom) + m.hem, m.bottom))
        leg.curve(outerKnee.toward(outerHem, 0.3) + Point(0, 4), outerKnee.toward(outerHem, 0.7), outerHem)
        leg.curve(
            Point(axis(1, m.bottom) + m.hem * 0.4, m.bottom + 6), Point(axis(1, m.bottom) - m.hem * 0.4, m.bottom + 6),
            Point(axis(1, m.bottom) - m.hem, m.bottom))
        let innerKnee = Point(max(1, axis(1, knee) - m.knee), knee)
        leg.curve(leg.last.toward(innerKnee, 0.3), leg.last.toward(innerKnee, 0.7), innerKnee)
        let rise = knee - 434
        leg.curve(innerKnee + Point(0, -rise * 0.27), Point(1, 434 + rise * 0.3), Point(0, 434))
        return leg
    }

    var outline: Outline {
        var whole = Outline()
        whole.move(Point(-53, 292))
        whole.curve(Point(-20, 297), Point(20, 297), Point(53, 292))
        whole.append(right(1).continued)
        whole.append(right(1).mirrored.reversedCurves)
        whole.close()
        return whole
    }

    func shade(_ tailor: Tailor) {
        let m = measures
        let middle = 430 + (knee - 430) * 0.84
        let isDenim = design.silhouette.isDenim
        for side in [-1.0, 1] {
            // Each leg is round; the pressed crease in front catches light.
            for (offset, ink) in [(0.62, Ink.shade.opacity(0.13)), (0.82, Ink.shade.opacity(0.13))] {
                var dark = Outline()
                let shift = -tailor.stance.light
                dark.move(Point(axis(side, 430) + shift * (20 + 26 * offset), 340))
                dark.line(Point(axis(side, m.bottom) + shift * m.hem * offset, m.bottom + 8))
                dark.line(Point(axis(side, m.bottom) + shift * m.hem * 1.4, m.bottom + 8))
                dark.line(Point(axis(side, middle) + shift * (m.knee + 20), middle))
                tailor.canvas.fill(dark.mapped(tailor.place), ink)
            }
            if isDenim || Self.isElastic(design.silhouette) {
                tailor.crease(
                    Point(side * 64, 404), Point(side * 40, 428), Point(side * 30, middle), width: 6, strength: 0.9)
            } else {
                tailor.crease(
                    Point(axis(side, 430), 400), Point(axis(side, middle), middle), Point(axis(side, m.bottom), m.bottom),
                    width: 3)
            }
            tailor.crease(
                Point(side * 6, 436), Point(side * 26, 440), Point(side * 52, 424), width: 5,
                strength: design.kind == .shorts ? 0.4 : 1)
            if m.bottom > 650 {
                tailor.crease(
                    Point(axis(side, knee) - 16, knee + 5), Point(axis(side, knee), knee + 13),
                    Point(axis(side, knee) + 14, knee + 3), width: 4)
            }
            shadeHem(side, tailor)
        }
        if design.details.contains(.sideStripe) {
            for side in [-1.0, 1] {
                var stripe = Outline()
                stripe.move(Point(side * 50, 300))
                stripe.curve(Point(side * 70, 360), Point(side * 74, 420), Point(axis(side, knee) + side * (m.knee - 5), knee))
                stripe.line(Point(axis(side, m.bottom) + side * (m.hem - 5), m.bottom + 4))
                tailor.canvas.stroke(stripe.mapped(tailor.place), tailor.cloth.trim, width: 11)
            }
        }
        // Between the legs it is dark.
        let gap = Outline([Point(-2, 426), Point(2, 426), Point(9, m.bottom + 8), Point(-9, m.bottom + 8)])
        tailor.canvas.fill(
            gap.mapped(tailor.place),
            .linear(Point(0, 430), Point(0, m.bottom), [(0, Ink.shade.opacity(0.4)), (1, Ink.shade.opacity(0.16))]))
        tailor.seam(Outline([Point(0, 300), Point(0, 434)], closed: false))
        if isDenim { drawDenim(tailor) } else if !tailor.stance.isBack, !Self.isElastic(design.silhouette) { tailor.stitch(fly) }
        if !isDenim, !tailor.stance.isBack, !design.details.contains(.pockets) {
            for side in [-1.0, 1] {
                tailor.seam(Outline([Point(side * 38, 308), Point(side * 63, 352)], closed: false), width: 1.6)
            }
        }
    }

    private var fly: Outline {
        var fly = Outline()
        fly.move(Point(13, 304))
        fly.curve(Point(14, 350), Point(12, 376), Point(1, 390))
        return fly
    }

    private func shadeHem(_ side: Double, _ tailor: Tailor) {
        let m = measures
        let x = axis(side, m.bottom)
        func band(_ height: Double, _ ink: Ink) {
            let band = Outline.rectangle(x - m.hem - 5, m.bottom - height, m.hem * 2 + 10, height + 12).mapped(tailor.place)
            tailor.canvas.fill(band, ink)
            tailor.canvas.stroke(
                Outline([Point(x - m.hem - 5, m.bottom - height), Point(x + m.hem + 5, m.bottom - height)], closed: false)
                    .mapped(tailor.place), Ink.shade.opacity(0.4), width: 2)
        }
        if design.details.contains(.contrastCuffs) {
            band(22, tailor.cloth.trim)
        } else if design.details.contains(.turnUps) {
            // The wrong side of the cloth: lighter.
            band(26, tailor.cloth.ground.mixed(.white, tailor.cloth.ground.luma > 0.75 ? 0 : 0.38))
            if tailor.cloth.ground.luma > 0.75 { band(26, Ink.shade.opacity(0.08)) }
        } else if design.silhouette == .joggers {
            band(26, tailor.cloth.ground.darker(0.08))
            for step in -3...3 {
                let at = x + Double(step) * m.hem * 0.28
                tailor.canvas.stroke(
                    Outline([Point(at, m.bottom - 24), Point(at, m.bottom + 6)], closed: false).mapped(tailor.place),
                    Ink.shade.opacity(0.24), width: 2)
            }
        } else if design.silhouette.isDenim {
            tailor.topstitch(
                Outline([Point(x - m.hem, m.bottom - 9), Point(x + m.hem, m.bottom - 9)], closed: false), apart: 0)
        } else {
            tailor.stitch(Outline([Point(x - m.hem, m.bottom - 10), Point(x + m.hem, m.bottom - 10)], closed: false))
        }
    }

    /// Five pockets, rivets, seams in bright thread, and cloth that fades where legs bend.
    private func drawDenim(_ tailor: Tailor) {
        let m = measures
        let long = min(m.bottom, 640)
        tailor.fade(at: [-1, 1].map { Point(axis($0, long - 150), min(490, long - 60)) }, reach: (long - 400) * 0.62 + 20)
        let copper = Ink(186, 118, 76)
        for side in [-1.0, 1] {
            // Along the outer and the inner seam.
            var outer = Outline()
            outer.move(Point(side * 56, 312))
            outer.curve(Point(side * 66, 352), Point(side * 71, 400), Point(axis(side, knee) + side * (m.knee - 6), knee))
            outer.line(Point(axis(side, m.bottom) + side * (m.hem - 6), m.bottom))
            tailor.topstitch(outer, apart: 0)
            if tailor.stance.isBack {
                tailor.topstitch(Outline([Point(side * 60, 326), Point(0, 348)], closed: false))
                let (top, half) = (Point(side * 36, 356), 19.0)
                let pocket = Outline([
                    top + Point(-half, 0), top + Point(half, 0), top + Point(half, 30), top + Point(0, 44),
                    top + Point(-half, 30),
                ])
                tailor.canvas.fill(pocket.mapped(tailor.place), Ink.white.opacity(0.06))
                tailor.topstitch(pocket, apart: 0)
                tailor.topstitch(
                    Outline([top + Point(-half, 12), top + Point(0, 22), top + Point(half, 12)], closed: false), apart: 0)
            } else {
                var pocket = Outline()
                pocket.move(Point(side * 26, 310))
                pocket.curve(Point(side * 30, 332), Point(side * 44, 346), Point(side * 66, 346))
                tailor.canvas.stroke(pocket.mapped(tailor.place).shifted(0, -2), Ink.shade.opacity(0.35), width: 3)
                tailor.topstitch(pocket)
                for at in [Point(side * 27, 313), Point(side * 63, 345)] {
                    tailor.canvas.fill(Outline.ellipse(tailor.place(at), 2.6, 2.6), copper)
                }
            }
            if !tailor.stance.isBack {
                // Whiskers: creases that the wash has bleached.
                let strength = design.pattern == .washed ? 0.1 : 0.04
                for step in 0..<3 {
                    let y = 410 + Double(step) * 17
                    var crease = Outline()
                    crease.move(Point(side * 16, y + 12))
                    crease.curve(Point(side * 34, y + 8), Point(side * 50, y - 2), Point(side * 62, y - 12))
                    for width in [9.0, 5, 2] {
                        tailor.canvas.stroke(crease.mapped(tailor.place), Ink.white.opacity(strength), width: width)
                    }
                }
            }
            if design.details.contains(.rips), !tailor.stance.isBack { drawRip(side, tailor) }
        }
        if !tailor.stance.isBack {
            tailor.topstitch(fly)
            let coin = Outline([Point(38, 330), Point(40, 318), Point(54, 318), Point(58, 342)], closed: false)
            tailor.topstitch(coin, apart: 0)
        }
    }

    private func drawRip(_ side: Double, _ tailor: Tailor) {
        let y = knee + side * 14
        let x = axis(side, y)
        let hole = Outline.blob([
            Point(x - 15, y), Point(x - 4, y - 12), Point(x + 14, y - 8), Point(x + 17, y + 5), Point(x + 2, y + 13),
            Point(x - 12, y + 9),
        ])
        tailor.canvas.fill(hole.mapped(tailor.place), tailor.stance.isBody ? Ink(200, 156, 130) : tailor.cloth.ground.darker(0.6))
        for step in -2...2 {
            let at = y + Double(step) * 5
            tailor.canvas.stroke(
                Outline([Point(x - 18, at + 1), Point(x + 18, at - 1)], closed: false).mapped(tailor.place),
                Ink(236, 236, 232).opacity(0.85), width: 2)
        }
    }
}

extension Outline {
    /// Without the first move, to go on with another outline.
    var continued: Outline {
        var result = Outline()
        for step in steps {
            switch step {
            case .move: break
            case .line(let point): result.line(point)
            case .curve(let one, let two, let end): result.curve(one, two, end)
            case .close: break
            }
        }
        return result
    }

    /// The same open curve from its end to its start, without a move.
    var reversedCurves: Outline {
        var result = Outline()
        var points: [(Point, Step)] = []
        var from = start
        for step in steps {
            switch step {
            case .move(let point): from = point
            case .line(let point), .curve(_, _, let point):
                points.append((from, step))
                from = point
            case .close: break
            }
        }
        for (end, step) in points.reversed() {
            if case .curve(let one, let two, _) = step { result.curve(two, one, end) } else { result.line(end) }
        }
        return result
    }
}
