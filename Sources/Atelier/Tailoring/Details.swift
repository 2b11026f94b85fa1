import Foundation

/// Belts, buttons, pockets and whatever else is sewn on.
extension Tailor {
    func drawDetails() {
        if cut.hasSeam, design.kind != .skirt { drawWaistSeam() }
        if cut.hasRib, design.kind == .top { ribs(from: cut.profile.bottom - 24, to: cut.profile.bottom) }
        for detail in design.details { draw(detail) }
    }

    private func draw(_ detail: Detail) {
        switch detail {
        case .belt: drawBelt()
        case .buttons: if !stance.isBack { drawButtons() }
        case .pockets: drawPockets()
        case .laceHem: drawLace()
        case .bow: drawBow()
        case .zip: if !stance.isBack { drawZip() }
        case .piping: drawPiping()
        case .slit: drawSlit()
        case .sideStripe: if !design.kind.hasLegs { drawSideStripes() }
        case .chestPrint: if !stance.isBack { drawChestPrint() }
        case .drawstring: if !stance.isBack { drawDrawstring() }
        case .patch: drawLabel()
        // Drawn with the cut, the neck, the sleeves, the legs; or of shoes and bags.
        case .ruffleHem, .contrastCollar, .contrastCuffs, .turnUps, .rips, .laces, .ankleStrap, .buckle, .tassel, .contrastSole,
            .toeCap, .chainStrap, .frontPocket:
            break
        }
    }

    private func across(_ y: Double, inset: Double = -0.5, sag: Double = 5) -> Outline {
        let half = cut.half(y) - inset
        var line = Outline()
        line.move(Point(-half, y))
        line.curve(Point(-half * 0.4, y + sag), Point(half * 0.4, y + sag), Point(half, y))
        return line
    }

    private func drawWaistSeam() {
        seam(across(cut.waist))
        // Gathers below and above the seam.
        guard cut.foldStrength > 0.4 || !cut.flounces.isEmpty else { return }
        let half = cut.half(cut.waist)
        for index in 0..<9 {
            let x = half * (-0.86 + 0.215 * Double(index))
            crease(
                Point(x, cut.waist + 6), Point(x * 1.04, cut.waist + 18), Point(x * 1.1, cut.waist + 26 + Double(index % 3) * 8),
                width: 2.4)
        }
    }

    private func drawBelt() {
        let y: Double =
            design.kind == .skirt || design.kind.hasLegs
            ? cut.top + 6 : design.kind == .coat || design.silhouette == .dropWaist ? 304 : cut.waist
        let wide = design.silhouette == .trench ? 19.0 : garment.print.motif % 2 == 0 ? 12 : 20
        // The ends are round: they stay within the cloth.
        let line = across(y, inset: wide * 0.42).mapped(place)
        let ink = design.silhouette == .trench ? cloth.ground.darker(0.16) : cloth.trim
        canvas.stroke(line.shifted(0, 3), Ink.shade.opacity(0.24), width: wide + 3)
        canvas.stroke(line, ink, width: wide)
        canvas.stroke(line.shifted(0, -wide * 0.26), Ink.white.opacity(0.14), width: wide * 0.24)
        guard !stance.isBack else { return }
        let buckle = place(Point(garment.print.motif % 3 == 0 ? -16 : 0, y + 4))
        let gold = Ink(202, 168, 92)
        canvas.stroke(.rectangle(buckle.x - 9, buckle.y - wide * 0.62, 18, wide * 1.24), gold.darker(0.3), width: 4)
        canvas.stroke(.rectangle(buckle.x - 9, buckle.y - wide * 0.62, 18, wide * 1.24), gold, width: 2.6)
    }

    private func drawButtons() {
        switch design.kind {
        case .skirt: buttons(from: cut.top + 26, to: min(cut.hem - 20, cut.top + 220), step: 38, size: 8.5)
        case .trousers where design.silhouette.isDenim, .shorts where design.silhouette.isDenim:
            buttons(from: cut.top + 24, to: cut.top + 78, step: 19, size: 6.6, x: 3)
        case .trousers, .shorts:
            for x in [-20.0, 20] { buttons(from: cut.top + 22, to: cut.top + 60, step: 24, size: 6.5, x: x) }
        default:
            let top = bodice.neckDepth + (bodice.isBare ? 34 : 18)
            buttons(from: top, to: max(top + 70, cut.waist - 14), step: 34, size: 8.5)
        }
    }

    private func drawPockets() {
        let isLower = design.kind == .skirt || design.kind.hasLegs
        if stance.isBack {
            guard isLower else { return }
            for side in [-1.0, 1] { patch(Point(side * 36, 352), half: 18, height: 36) }
            return
        }
        switch design.silhouette {
        case .tee, .crop, .sweater, .polo: patch(Point(33, 222), half: 17, height: 36)
        case .hoodie: break
        case .shirt, .shirtDress: for side in [-1.0, 1] { patch(Point(side * 33, 216), half: 15, height: 32) }
        case .slim, .wide, .straight, .culottes, .bootcut, .joggers, .chinoShorts, .sportShorts, .bermuda, .pencil, .aLineSkirt,
            .aLine, .fitAndFlare, .empire:
            // Slanted at the hip.
            for side in [-1.0, 1] {
                let y = isLower ? cut.top + 20 : cut.waist + 34
                let slant = Outline([Point(side * 34, y), Point(side * (cut.half(y + 46) - 5), y + 46)], closed: false)
                canvas.stroke(slant.mapped(place).shifted(0, 3), Ink.shade.opacity(0.3), width: 7)
                canvas.stroke(slant.mapped(place), cloth.trim, width: 6)
            }
        default:
            let y = design.kind == .coat ? min(cut.hem - 110, 352) : min(cut.hem - 130, 366)
            for side in [-1.0, 1] { patch(Point(side * 46, max(300, y)), half: 23, height: 46) }
        }
    }

    func patch(_ top: Point, half: Double, height: Double) {
        var pocket = Outline()
        pocket.move(top + Point(-half, 0))
        pocket.line(top + Point(half, 0))
        pocket.line(top + Point(half, height * 0.75))
        pocket.curve(top + Point(half, height), top + Point(half * 0.5, height), top + Point(0, height))
        pocket.curve(top + Point(-half * 0.5, height), top + Point(-half, height), top + Point(-half, height * 0.75))
        pocket.close()
        let placed = pocket.mapped(place)
        canvas.fill(placed.shifted(1.5, 3), Ink.shade.opacity(0.22))
        canvas.fill(placed, .ink(cloth.ground.lighter(0.05)))
        canvas.stroke(placed, cloth.ground.luma < 0.25 ? Ink.white.opacity(0.3) : Ink.shade.opacity(0.42), width: 1.5)
        let flap = Outline.rectangle(top.x - half - 1, top.y, half * 2 + 2, height * 0.3).mapped(place)
        canvas.fill(flap, cloth.trim)
    }

    /// Scallops with holes, in the trim's colour.
    private func drawLace() {
        let hem = lowestHem
        let count = max(9, Int(hem.half / 8) | 1)
        let ink = Cloth(.white, garment.print).ground
        let lace = cloth.trim.luma > 0.6 || cloth.ground.luma > 0.75 ? cloth.trim : ink
        for index in 0..<count {
            let x = hem.half * ((Double(index) + 0.5) / Double(count) * 2 - 1)
            let center = place(Point(x, hem.height(x) - 2))
            let half = hem.half / Double(count)
            canvas.fill(Outline.ellipse(center, half * 1.06, 17), lace)
            canvas.stroke(Outline.ellipse(center, half * 0.9, 15), lace.darker(0.3), width: 1)
            canvas.fill(Outline.ellipse(center + Point(0, 5), half * 0.32, 4), lace.darker(0.45).opacity(0.7))
            canvas.fill(Outline.ellipse(center + Point(0, -7), half * 0.2, 2.6), lace.darker(0.45).opacity(0.7))
        }
        canvas.stroke(hem.line(above: 17).mapped(place), lace, width: 4)
    }

    private var lowestHem: Hem {
        let bottom = cut.hem
        if let flounce = cut.flounces.max(by: { $0.bottom < $1.bottom }), flounce.bottom >= cut.profile.bottom {
            return Hem(y: bottom, half: flounce.bottomHalf, flutes: flounce.flutes, wave: 6, bow: 9)
        }
        return Hem(y: bottom, half: cut.profile.half(bottom), flutes: cut.flutes, wave: cut.wave, bow: cut.bow)
    }

    private func drawBow() {
        let isLower = design.kind == .skirt
        if stance.isBack {
            if isLower { return }
            return knot(at: Point(0, cut.waist), size: 1.1, ink: cloth.trim)
        }
        if isLower { return knot(at: Point(-24, cut.top + 8), size: 0.9, ink: cloth.trim) }
        let atNeck = garment.print.motif % 2 == 0 || design.kind == .top
        knot(
            at: design.silhouette == .wrap
                ? Point(46, cut.waist) : atNeck ? Point(0, bodice.neckDepth + (bodice.isBare ? 24 : 8)) : Point(0, cut.waist),
            size: 1.1, ink: cloth.trim)
    }

    private func drawZip() {
        let (top, bottom) =
            design.kind == .skirt
            ? (cut.top + 6, min(cut.hem - 10, cut.top + 190))
            : (
                bodice.neckDepth + (bodice.isBare ? 28 : 0),
                design.kind == .top && design.silhouette != .hoodie ? bodice.neckDepth + 90 : min(cut.hem, cut.waist + 90)
            )
        let line = Outline([Point(0, top), Point(0, bottom)], closed: false).mapped(place)
        canvas.stroke(line, Ink.shade.opacity(0.45), width: 8)
        canvas.stroke(line, Ink(214, 206, 190), width: 4, dash: [2.6, 3.4])
        canvas.fill(Outline.ellipse(place(Point(0, top + 12)), 4.5, 8), Ink(214, 206, 190))
        canvas.stroke(Outline.ellipse(place(Point(0, top + 12)), 4.5, 8), Ink.shade.opacity(0.5), width: 1.2)
    }

    /// Cord along seams: princess seams in front, the hem.
    private func drawPiping() {
        if cut.top < 250 {
            for side in [-1.0, 1] {
                var line = Outline()
                line.move(Point(side * (cut.shoulder - 22), stance.isBack ? 178 : 182))
                line.curve(Point(side * 38, 220), Point(side * 28, 270), Point(side * 30, cut.waist))
                if cut.profile.bottom > cut.waist + 60 {
                    line.curve(
                        Point(side * 34, cut.waist + 40), Point(side * 40, cut.profile.bottom - 40),
                        Point(side * cut.profile.half(cut.profile.bottom) * 0.5, cut.profile.bottom + 4))
                }
                canvas.stroke(line.mapped(place), cloth.trim, width: 3.6)
            }
        }
        let hem = lowestHem
        var edge = Outline()
        edge.move(Point(hem.half, hem.y))
        edge.append(hem.outline)
        canvas.stroke(edge.shifted(0, -2).mapped(place), cloth.trim, width: 6)
    }

    /// An opening beside the middle, through which the leg, or the lining, is seen.
    private func drawSlit() {
        let hem = lowestHem
        let height = min(150, (hem.y - cut.waist) * 0.42)
        let x = stance.isBack ? 0 : hem.half * 0.42
        var gap = Outline()
        gap.move(Point(x, hem.y - height))
        gap.curve(Point(x + 4, hem.y - height * 0.5), Point(x + 15, hem.y - 20), Point(x + 19, hem.height(x) + 3))
        gap.line(Point(x - 12, hem.height(x) + 3))
        gap.curve(Point(x - 8, hem.y - 20), Point(x - 3, hem.y - height * 0.5), Point(x, hem.y - height))
        gap.close()
        canvas.fill(gap.mapped(place), cloth.ground.darker(0.62))
        canvas.stroke(gap.mapped(place), cloth.ground.lighter(0.2).opacity(0.7), width: 1.6)
    }

    /// What is printed on a chest: no letters, for they would say something.
    private func drawChestPrint() {
        let center = place(Point(0, 250))
        let (ink, second) = (cloth.figure, cloth.spark)
        canvas.moved(to: center, scale: 1, squeeze: 1 - 0.3 * abs(stance.turn)) {
            switch garment.print.motif {
            case 0:
                canvas.fill(Outline.ellipse(Point(0, -4), 32, 32), ink)
                for y in [6.0, 15, 23] { canvas.fill(.rectangle(-34, y, 68, 3.4), cloth.ground) }
            case 1:
                canvas.fill(Outline([Point(-42, 26), Point(-12, -28), Point(4, -2), Point(14, -16), Point(42, 26)]), ink)
                canvas.fill(Outline([Point(-20, -13), Point(-12, -28), Point(-3, -13), Point(-12, -7)]), second)
            case 2:
                for row in 0..<3 { canvas.fill(.rectangle(-40, Double(row) * 17 - 24, 80, 10), row == 1 ? second : ink) }
            case 3:
                let star = (0..<10).map { step -> Point in
                    let direction = Double(step) * .pi / 5 - .pi / 2
                    let reach = step % 2 == 0 ? 36.0 : 15
                    return Point(reach * cos(direction), reach * sin(direction))
                }
                canvas.fill(Outline(star), ink)
            case 4:
                var heart = Outline()
                heart.move(Point(0, 32))
                heart.curve(Point(-44, 2), Point(-32, -36), Point(0, -14))
                heart.curve(Point(32, -36), Point(44, 2), Point(0, 32))
                heart.close()
                canvas.fill(heart, ink)
            default:
                canvas.stroke(.rectangle(-36, -26, 72, 52), ink, width: 6)
                canvas.fill(Outline.ellipse(Point(0, 0), 16, 16), second)
            }
        }
    }

    private func drawDrawstring() {
        let y = design.kind.hasLegs ? cut.top + 8 : 300.0
        if !design.kind.hasLegs {
            canvas.stroke(across(y).mapped(place), Ink.shade.opacity(0.22), width: 6)
            stitch(across(y - 4))
        }
        for side in [-1.0, 1] {
            var cord = Outline()
            cord.move(Point(side * 5, y))
            cord.curve(Point(side * 12, y + 14), Point(side * 6, y + 34), Point(side * 11, y + 52))
            canvas.stroke(cord.mapped(place).shifted(1, 2), Ink.shade.opacity(0.25), width: 4)
            canvas.stroke(cord.mapped(place), cloth.trim, width: 4)
            canvas.fill(Outline.ellipse(place(Point(side * 11, y + 52)), 3, 5), cloth.trim.darker(0.2))
        }
    }

    /// A patch of leather or other cloth, with nothing on it.
    private func drawLabel() {
        let isDenim = design.silhouette.isDenim
        let (center, half, high): (Point, Double, Double) =
            switch (design.kind.hasLegs, stance.isBack) {
            case (true, true) where isDenim: (Point(36, cut.top + 7), 17, 11)
            case (true, _): (Point(50, isDenim ? 452 : 436), 15, 17)
            case (false, true): (Point(0, 190), 15, 12)
            case (false, false): (Point(-36, 214), 15, 13)
            }
        let label = Outline.rectangle(center.x - half, center.y - high, half * 2, high * 2).mapped(place)
        canvas.fill(label.shifted(1, 2), Ink.shade.opacity(0.25))
        canvas.fill(label, isDenim && stance.isBack ? Swatch.tan : cloth.trim)
        canvas.stroke(label, Ink.shade.opacity(0.4), width: 1)
        stitch(.rectangle(center.x - half + 3, center.y - high + 3, half * 2 - 6, high * 2 - 6))
    }

    private func drawSideStripes() {
        for side in [-1.0, 1] {
            let (top, bottom) = (cut.top + 4, cut.profile.bottom)
            let line = stride(from: top, through: bottom, by: max(12, (bottom - top) / 8)).map { y in
                Point(side * (cut.profile.half(y) - 7), y)
            }
            canvas.stroke(open(line).mapped(place), cloth.trim, width: 10)
        }
    }
}
