/// Sleeves, which follow the arms.
extension Tailor {
    /// Where a sleeve begins and ends on the arm, as shares of its length, and half its width on the way.
    private var sleeveShape: (end: Double, half: (Double) -> Double)? {
        let full = 1 + 0.22 * garment.fit.sleeve
        let roomy = design.kind == .coat ? 6.0 : cut.hasRib || design.silhouette == .hoodie ? 4 : 0
        func fitted(_ t: Double) -> Double { Arm.half(t) + 5 + roomy }
        switch design.sleeve {
        case .none, .strap: return nil
        case .cap: return (0.15, { 23 + 20 * $0 })
        case .short: return (0.32, { 23 + roomy + 12 * $0 })
        case .puff:
            return (0.36, { t in t > 0.31 ? 21 : 22 + 88 * full * t * max(0, 0.36 - t) / 0.13 * 1.3 })
        case .flutter: return (0.3, { 22 + 78 * full * $0 })
        case .elbow: return (0.5, { fitted($0) + 4 })
        case .threeQuarter: return (0.74, fitted)
        case .long: return (0.98, fitted)
        case .bell: return (0.95, { t in t < 0.48 ? fitted(t) : fitted(t) + (t - 0.48) * 62 * full })
        case .bishop:
            return (
                0.98, { t in t > 0.92 ? 13 + roomy * 0.4 : fitted(t) + 30 * full * max(0, t - 0.2) * (1 - max(0, t - 0.8) * 3.2) }
            )
        }
    }

    /// Whether the garment covers the arm's beginning.
    var hasSleeve: Bool { sleeveShape != nil }

    func drawSleeve(_ arm: Arm, side: Double) {
        guard let (end, shape) = sleeveShape else { return }
        let girth = stance.build.girth
        let isGathered = design.sleeve == .puff || design.sleeve == .flutter
        func half(_ share: Double) -> Double { shape(share) * girth }
        let start = design.neckline == .offShoulder ? 0.13 : 0.04
        let end2 = max(end, start + 0.14)
        let spine = arm.spine(from: start, to: end2)
        func share(_ index: Int) -> Double { start + (end2 - start) * Double(index) / Double(spine.count - 1) }
        var outer: [Point] = []
        var inner: [Point] = []
        for (index, point) in spine.enumerated() {
            let direction = spine[min(spine.count - 1, index + 1)] - spine[max(0, index - 1)]
            // To the outside on either arm.
            let normal = direction.normal * -side
            // A shoulder is round: a sleeve that isn't gathered begins narrow.
            let round = isGathered ? 1 : 0.7 + 0.3 * min(1, share(index) / 0.16)
            outer.append(point + normal * (half(share(index)) * round))
            inner.append(point - normal * half(share(index)))
        }
        var outline = Outline()
        let far = abs(stance.turn) > 0.3
        if design.neckline == .offShoulder {
            outline.move(outer[0])
        } else {
            let root = place(Point(side * (cut.shoulder - 20), bodice.shoulderHeight(cut.shoulder - 20) + 1))
            outline.move(Point(far ? arm.shoulder.x - side * 10 : root.x, root.y))
            // A puff stands up; other sleeves go on where the shoulder slopes.
            let crown =
                arm.shoulder
                + (isGathered ? Point(side * half(0) * 0.6, -half(0) * 0.42) : Point(side * half(0) * 0.36, -half(0) * 0.2))
            outline.curve(
                outline.last.toward(crown, 0.5) + Point(0, -1), crown + Point(-side * 7, -3), crown + Point(side * 3, 4))
        }
        outline.through(outer)
        let (cuffOut, cuffIn) = (outer[outer.count - 1], inner[inner.count - 1])
        let along = (spine[spine.count - 1] - spine[spine.count - 2])
        let bulge = along * (4 / max(1, along.length))
        outline.curve(cuffOut.toward(cuffIn, 0.3) + bulge, cuffOut.toward(cuffIn, 0.7) + bulge, cuffIn)
        // What lies inside the bodice would fold back on itself.
        let hasArmhole = design.neckline != .offShoulder && !far
        let free = inner.dropLast().filter { !hasArmhole || $0.y > 200 }
        if !free.isEmpty { outline.through(free.reversed()) }
        if hasArmhole {
            // Along the armhole, well inside the bodice, so that nothing shows between the two.
            outline.curve(
                place(Point(side * (cut.shoulder - 17), 190)), place(Point(side * (cut.shoulder - 27), 164)), outline.start)
        }
        outline.close()
        let middle = (arm.shoulder.x + spine[spine.count - 1].x) / 2
        let slant = angle(arm, at: end2 * 0.5)
        lay(outline, .sleeve, middle: middle, half: 30, angle: slant)
        canvas.clipped(to: outline) { shade(arm, from: start, to: end2, half: half, side: side) }
        drawCuff(from: cuffOut, to: cuffIn, along: along, end: end2)
    }

    /// Degrees by which the arm deviates from the vertical.
    private func angle(_ arm: Arm, at share: Double) -> Double {
        let direction = arm.point(share + 0.1) - arm.point(max(0, share - 0.1))
        return -direction.x / max(20, direction.y) * 52
    }

    private func shade(_ arm: Arm, from start: Double, to end: Double, half: (Double) -> Double, side: Double) {
        // The fold under the arm and, in a long sleeve, those of the elbow.
        let inside = arm.spine(from: start, to: end).map { $0 + Point(-side * half(0.3) * 0.75, 4) }
        canvas.stroke(open(inside), Ink.shade.opacity(0.11 * depth), width: 9)
        if end > 0.45 {
            for (share, reach) in [(0.44, 0.75), (0.52, 0.9), (0.6, 0.6)] where share < end {
                let at = arm.point(share)
                var fold = Outline()
                fold.move(at + Point(-side * half(share) * reach, -2))
                fold.curve(at + Point(-side * 4, 5), at + Point(side * 3, 4), at + Point(side * half(share) * 0.4, -4))
                canvas.stroke(fold, Ink.shade.opacity(0.15 * depth), width: 3.5)
                canvas.stroke(fold.shifted(0, -3), Ink.white.opacity(0.1 * depth), width: 2)
            }
        }
        if [.puff, .bishop, .flutter, .bell].contains(design.sleeve) {
            let low = design.sleeve == .bell ? 0.6 : design.sleeve == .bishop ? 0.5 : start
            for shift in [-0.55, -0.1, 0.35, 0.7] {
                let fold = arm.spine(from: low, to: end).enumerated().map { index, point in
                    point
                        + Point(shift * half(low + (end - low) * 0.6) * (design.sleeve == .puff ? 0.9 : Double(index) * 0.24), 0)
                }
                canvas.stroke(open(fold), Ink.shade.opacity(0.14 * depth), width: 3)
                canvas.stroke(open(fold.map { $0 + Point(2.5, 0) }), Ink.white.opacity(0.1 * depth), width: 2)
            }
        }
    }

    func open(_ points: [Point]) -> Outline {
        var outline = Outline()
        outline.move(points[0])
        outline.through(Array(points.dropFirst()))
        return outline
    }

    private func drawCuff(from outer: Point, to inner: Point, along: Point, end: Double) {
        let back = along * (-1 / max(1, along.length))
        let contrast = design.details.contains(.contrastCuffs)
        let gathered = design.sleeve == .bishop || design.sleeve == .puff
        if contrast || gathered || cut.hasRib {
            let deep = contrast ? 17.0 : design.sleeve == .puff ? 8 : 14
            let spread = (outer - inner) * 0.03
            let band = Outline([outer + spread, inner - spread, inner - spread + back * deep, outer + spread + back * deep])
            canvas.fill(band, .ink(contrast ? cloth.trim : cloth.ground.darker(0.08)))
            canvas.stroke(band, Ink.shade.opacity(0.35), width: 1.2)
            if cut.hasRib {
                for step in 1..<6 {
                    let at = outer.toward(inner, Double(step) / 6)
                    canvas.stroke(Outline([at, at + back * deep], closed: false), Ink.shade.opacity(0.22), width: 1.4)
                }
            }
        } else {
            canvas.stroke(
                Outline([outer + back * 7, inner + back * 7], closed: false),
                cloth.ground.luma < 0.25 ? Ink.white.opacity(0.2) : Ink.shade.opacity(0.24),
                width: 1.2, dash: [3, 2.4])
        }
    }
}
