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
        case .slim: (37, 23 * wide, cropped ? 19 : 14, cropped ? 692 : 768)
        case .wide: (42, 46 * wide, 58 * wide, cropped ? 692 : 778)
        case .culottes: (44, 56 * wide, 68 * wide, 622 + 16 * fit.drop)
        case .bootcut: (37, 25, cropped ? 32 * wide : 42 * wide, cropped ? 692 : 778)
        default: (39, 32 * wide, 31 * wide, cropped ? 692 : 774)
        }
    }

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
        let knee = min(585, 430 + (m.bottom - 430) * 0.5)
        var leg = Outline()
        leg.move(Point(53, 292))
        leg.curve(Point(60, 325), Point(74, 350), Point(76, 390))
        leg.curve(Point(78, 440), Point(axis(1, knee) + m.knee + 4, knee - 60), Point(axis(1, knee) + m.knee, knee))
        // Straight from knee to hem, or a wide leg would bulge.
        let (outerKnee, outerHem) = (Point(axis(1, knee) + m.knee, knee), Point(axis(1, m.bottom) + m.hem, m.bottom))
        leg.curve(outerKnee.toward(outerHem, 0.3) + Point(0, 4), outerKnee.toward(outerHem, 0.7), outerHem)
        leg.curve(
            Point(axis(1, m.bottom) + m.hem * 0.4, m.bottom + 6), Point(axis(1, m.bottom) - m.hem * 0.4, m.bottom + 6),
            Point(axis(1, m.bottom) - m.hem, m.bottom))
        let innerKnee = Point(max(1, axis(1, knee) - m.knee), knee)
        leg.curve(leg.last.toward(innerKnee, 0.3), leg.last.toward(innerKnee, 0.7), innerKnee)
        leg.curve(innerKnee + Point(0, -40), Point(1, 480), Point(0, 434))
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
        for side in [-1.0, 1] {
            // Each leg is round; the pressed crease in front catches light.
            for (offset, ink) in [(0.62, Ink.shade.opacity(0.13)), (0.82, Ink.shade.opacity(0.13))] {
                var dark = Outline()
                let shift = -tailor.stance.light
                dark.move(Point(axis(side, 430) + shift * (20 + 26 * offset), 340))
                dark.line(Point(axis(side, m.bottom) + shift * m.hem * offset, m.bottom + 8))
                dark.line(Point(axis(side, m.bottom) + shift * m.hem * 1.4, m.bottom + 8))
                dark.line(Point(axis(side, 560) + shift * (m.knee + 20), 560))
                tailor.canvas.fill(dark.mapped(tailor.place), ink)
            }
            tailor.crease(
                Point(axis(side, 430), 400), Point(axis(side, 560), 560), Point(axis(side, m.bottom), m.bottom), width: 3)
            tailor.crease(Point(side * 6, 436), Point(side * 26, 440), Point(side * 52, 424), width: 5)
            tailor.crease(
                Point(axis(side, 585) - 16, 590), Point(axis(side, 585), 598), Point(axis(side, 585) + 14, 588), width: 4)
            var hem = Outline()
            hem.move(Point(axis(side, m.bottom) - m.hem, m.bottom - 10))
            hem.line(Point(axis(side, m.bottom) + m.hem, m.bottom - 10))
            if tailor.design.details.contains(.contrastCuffs) {
                tailor.canvas.fill(
                    Outline.rectangle(axis(side, m.bottom) - m.hem - 4, m.bottom - 30, m.hem * 2 + 8, 44).mapped(tailor.place),
                    tailor.cloth.trim)
            } else {
                tailor.stitch(hem)
            }
        }
        if tailor.design.details.contains(.sideStripe) {
            for side in [-1.0, 1] {
                var stripe = Outline()
                stripe.move(Point(side * 50, 300))
                stripe.curve(Point(side * 70, 360), Point(side * 74, 420), Point(axis(side, 585) + side * (m.knee - 5), 585))
                stripe.line(Point(axis(side, m.bottom) + side * (m.hem - 5), m.bottom + 4))
                tailor.canvas.stroke(stripe.mapped(tailor.place), tailor.cloth.trim, width: 11)
            }
        }
        // Between the legs it is dark.
        let gap = Outline([Point(-2, 426), Point(2, 426), Point(9, m.bottom + 8), Point(-9, m.bottom + 8)])
        tailor.canvas.fill(
            gap.mapped(tailor.place),
            .linear(Point(0, 430), Point(0, m.bottom), [(0, Ink.shade.opacity(0.4)), (1, Ink.shade.opacity(0.16))]))
        var fly = Outline()
        fly.move(Point(0, 300))
        fly.line(Point(0, 434))
        tailor.seam(fly)
        if !tailor.stance.isBack {
            fly = Outline()
            fly.move(Point(13, 304))
            fly.curve(Point(14, 350), Point(12, 376), Point(1, 390))
            tailor.stitch(fly)
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
