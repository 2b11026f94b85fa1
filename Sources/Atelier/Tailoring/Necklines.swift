/// What is sewn on at the neck and along the front: collars, hoods, lapels, straps, plackets.
extension Tailor {
    var collarInk: Ink { design.details.contains(.contrastCollar) ? cloth.trim : cloth.ground.mixed(cloth.trim, 0.02) }

    /// A piece of collar: cloth with a soft shadow below it.
    private func flap(_ outline: Outline, _ ink: Ink) {
        let placed = outline.mapped(place)
        canvas.fill(placed.shifted(1.5, 3.5), Ink.shade.opacity(0.28))
        canvas.fill(
            placed, .ink(ink), .linear(Point(-60, 0), Point(60, 0), [(0, Ink.white.opacity(0.1)), (1, Ink.shade.opacity(0.14))]))
        canvas.stroke(placed, ink.luma < 0.25 ? Ink.white.opacity(0.28) : Ink.shade.opacity(0.45), width: 1.3)
    }

    private func both(_ outline: Outline, _ ink: Ink) {
        flap(outline, ink)
        flap(outline.mirrored, ink)
    }

    func drawEdges() {
        guard design.kind.isUpper else { return drawWaistband() }
        let edge = bodice.neckline
        if design.neckline == .halter || bodice.isBare { drawStraps() }
        if stance.isBack { return drawBackEdge(edge) }
        switch design.neckline {
        case .collar: drawShirtCollar()
        case .turtleneck: drawTube(from: 92, to: 148, half: 22)
        case .stand: drawTube(from: 112, to: 144, half: 26)
        case .hood: drawHood()
        case .lapels: drawLapels()
        case .keyhole: drawKeyhole()
        case .cowl: drawCowl()
        case .offShoulder:
            var band = edge
            band.line(Point(66, 202))
            band.curve(Point(40, 216), Point(-40, 216), Point(-66, 202))
            band.close()
            flap(band, cloth.ground.lighter(0.05))
        default: rib(edge)
        }
        if design.silhouette == .wrap || design.silhouette == .wrapSkirt { drawWrap() }
        if design.silhouette == .shirtDress || design.silhouette == .shirt
            || design.neckline == .collar && design.kind != .coat && design.silhouette != .wrap
        {
            drawPlacket(
                from: bodice.neckDepth,
                to: design.silhouette == .polo
                    ? 236 : design.silhouette == .blouse || design.silhouette == .tunic ? 260 : cut.hem + 4)
        }
        if design.kind == .coat { drawCoatFront() }
    }

    /// A bound edge along the neckline.
    private func rib(_ edge: Outline) {
        let ink =
            design.details.contains(.piping) || design.details.contains(.contrastCollar) ? cloth.trim : cloth.ground.darker(0.24)
        canvas.stroke(edge.mapped(place), ink, width: design.details.contains(.piping) ? 7 : 5.5)
        canvas.stroke(edge.mapped(place).shifted(0, 5), Ink.shade.opacity(0.22), width: 1.2)
    }

    private func drawBackEdge(_ edge: Outline) {
        switch design.neckline {
        case .turtleneck: drawTube(from: 94, to: 138, half: 21)
        case .stand: drawTube(from: 106, to: 138, half: 23)
        case .collar, .lapels:
            var flap = Outline()
            flap.move(Point(-30, 122))
            flap.curve(Point(-14, 112), Point(14, 112), Point(30, 122))
            flap.curve(Point(36, 134), Point(38, 144), Point(36, 150))
            flap.curve(Point(14, 156), Point(-14, 156), Point(-36, 150))
            flap.curve(Point(-38, 144), Point(-36, 134), Point(-30, 122))
            flap.close()
            self.flap(flap, collarInk)
        case .hood: drawHood()
        default: rib(edge)
        }
        if design.kind == .dress || design.kind == .top, !bodice.isBare, design.silhouette != .shirtDress,
            design.silhouette != .shirt
        {
            // A back seam, with a short zip where the neck is high.
            seam(Outline([Point(0, bodice.neckDepth), Point(0, cut.waist + 60)], closed: false))
            if design.neckline != .halter {
                canvas.fill(Outline.ellipse(place(Point(0, bodice.neckDepth + 6)), 2.4, 4), Ink(190, 180, 160))
            }
        } else if design.kind == .coat || design.silhouette == .shirt || design.silhouette == .shirtDress {
            var yoke = Outline()
            yoke.move(Point(-cut.shoulder + 12, 172))
            yoke.curve(Point(-30, 180), Point(30, 180), Point(cut.shoulder - 12, 172))
            seam(yoke)
            if design.kind == .coat { seam(Outline([Point(0, 178), Point(0, cut.hem)], closed: false)) }
        }
    }

    private func drawStraps() {
        let ink = cloth.ground.darker(0.12)
        if design.neckline == .halter {
            guard stance.isBack else { return }
            // Tied behind the neck; the back is bare down to the chest.
            canvas.fill(Outline.ellipse(place(Point(-7, 122)), 9, 5, turned: 0.3), ink)
            canvas.fill(Outline.ellipse(place(Point(7, 122)), 9, 5, turned: -0.3), ink)
            return
        }
        guard design.sleeve == .strap else { return }
        for side in [-1.0, 1] {
            let foot = stance.isBack ? Point(side * 40, 194) : Point(side * bodice.strapFoot.x, bodice.strapFoot.y)
            var strap = Outline()
            strap.move(foot)
            strap.curve(Point(side * 41, 155), Point(side * 42, 140), Point(side * 42, stance.isBody ? 131 : 126))
            canvas.stroke(strap.mapped(place), ink, width: design.silhouette == .slip || design.silhouette == .camisole ? 4 : 10)
        }
    }

    private func drawTube(from top: Double, to bottom: Double, half: Double) {
        var tube = Outline()
        tube.move(Point(-half + 2, top))
        tube.curve(Point(-8, top + (stance.isBack ? -3 : 6)), Point(8, top + (stance.isBack ? -3 : 6)), Point(half - 2, top))
        tube.curve(Point(half, top + 12), Point(half + 2, bottom - 14), Point(half + 6, bottom - 10))
        tube.curve(Point(10, bottom + 6), Point(-10, bottom + 6), Point(-half - 6, bottom - 10))
        tube.curve(Point(-half - 2, bottom - 14), Point(-half, top + 12), Point(-half + 2, top))
        tube.close()
        flap(tube, design.details.contains(.contrastCollar) ? cloth.trim : cloth.ground.lighter(0.04))
        for shift in [-12.0, -4, 5, 13] where cut.hasRib {
            canvas.stroke(
                Outline([Point(shift, top + 6), Point(shift * 1.1, bottom - 2)], closed: false).mapped(place),
                Ink.shade.opacity(0.2), width: 1.4)
        }
        crease(Point(-half + 4, top + 16), Point(0, top + 25), Point(half - 4, top + 16), width: 3)
        // A stand collar is open in front.
        if design.neckline == .stand, !stance.isBack {
            canvas.fill(
                Outline([Point(-7, top + 4), Point(7, top + 4), Point(0, bottom + 6)]).mapped(place), cloth.ground.darker(0.55))
        }
        if design.kind == .coat, !stance.isBack { seam(Outline([Point(0, top + 4), Point(0, bottom + 2)], closed: false)) }
    }

    private func drawShirtCollar() {
        let depth = bodice.neckDepth
        var leaf = Outline()
        leaf.move(Point(0, depth + 1))
        leaf.line(Point(-20, 121))
        leaf.curve(Point(-26, 117), Point(-31, 119), Point(-33, 125))
        leaf.line(Point(-42, 158))
        leaf.curve(Point(-30, 168), Point(-22, 172), Point(-17, 176))
        leaf.close()
        both(leaf, collarInk)
    }

    private func drawHood() {
        let ink = cloth.ground.darker(0.06)
        var hood = Outline()
        if stance.isBack {
            hood.move(Point(-44, 124))
            hood.curve(Point(-30, 108), Point(30, 108), Point(44, 124))
            hood.curve(Point(58, 160), Point(36, 205), Point(0, 214))
            hood.curve(Point(-36, 205), Point(-58, 160), Point(-44, 124))
            hood.close()
            flap(hood, ink)
            seam(Outline([Point(0, 114), Point(0, 212)], closed: false))
            return
        }
        hood.move(Point(0, 166))
        hood.curve(Point(-14, 150), Point(-22, 130), Point(-20, 108))
        hood.curve(Point(-40, 104), Point(-56, 122), Point(-50, 146))
        hood.curve(Point(-42, 164), Point(-20, 172), Point(0, 166))
        hood.close()
        both(hood, ink)
        if design.silhouette == .parka {
            // A rim of fur.
            for side in [-1.0, 1] {
                for step in 0..<9 {
                    let share = Double(step) / 8
                    let at = place(Point(side * (2 + 19 * share + 8 * share * (1 - share)), 164 - 56 * share))
                    canvas.fill(Outline.ellipse(at, 8, 7), Ink(188, 164, 132).darker(step % 2 == 0 ? 0.1 : 0))
                    canvas.fill(Outline.ellipse(at + Point(-2, -2), 4, 3), Ink(224, 206, 178))
                }
            }
        }
        if design.silhouette == .hoodie {
            for side in [-1.0, 1] {
                var cord = Outline()
                cord.move(Point(side * 9, 160))
                cord.curve(Point(side * 12, 180), Point(side * 9, 200), Point(side * 12, 222))
                canvas.stroke(cord.mapped(place), cloth.trim, width: 3)
            }
            // The pouch.
            let pouch = Outline([
                Point(-34, 308), Point(34, 308), Point(54, 352), Point(54, 372), Point(-54, 372), Point(-54, 352),
            ])
            flap(pouch, cloth.ground.darker(0.05))
        }
    }

    private func drawLapels() {
        let depth = bodice.neckDepth
        var lapel = Outline()
        if design.silhouette == .cocoon {
            // A shawl collar: round and wide.
            lapel.move(Point(2, depth + 4))
            lapel.curve(Point(-14, 180), Point(-26, 146), Point(-21, 112))
            lapel.curve(Point(-40, 112), Point(-54, 140), Point(-48, 168))
            lapel.curve(Point(-42, 192), Point(-18, 212), Point(2, depth + 4))
            lapel.close()
            both(lapel, collarInk)
            return
        }
        lapel.move(Point(3, depth + 4))
        lapel.line(Point(-23, 134))
        lapel.line(Point(-40, 142))
        lapel.line(Point(-58, 164))
        lapel.line(Point(-44, 174))
        lapel.line(Point(-47, 184))
        lapel.curve(Point(-34, 210), Point(-18, 228), Point(3, depth + 4))
        lapel.close()
        both(lapel, cloth.ground.lighter(0.04))
        var collar = Outline()
        collar.move(Point(-12, 112))
        collar.curve(Point(-26, 112), Point(-32, 118), Point(-34, 128))
        collar.line(Point(-60, 160))
        collar.line(Point(-46, 173))
        collar.line(Point(-21, 140))
        collar.close()
        both(collar, collarInk)
    }

    private func drawKeyhole() {
        rib(bodice.neckline)
        var hole = Outline()
        hole.move(Point(0, 147))
        hole.curve(Point(27, 168), Point(25, 212), Point(0, 216))
        hole.curve(Point(-25, 212), Point(-27, 168), Point(0, 147))
        hole.close()
        let placed = hole.mapped(place)
        canvas.fill(placed, stance.isBody ? skinHint : cloth.ground.darker(0.5))
        canvas.stroke(placed, cloth.ground.darker(0.3), width: 3)
        canvas.fill(Outline.ellipse(place(Point(0, 147)), 4, 4), cloth.trim)
    }

    private func drawCowl() {
        let depth = bodice.neckDepth
        for (index, drop) in [0.0, 16, 34].enumerated() {
            var drape = Outline()
            let half = 42 + 7 * Double(index)
            let y = bodice.shoulderHeight(half) + drop * 0.5
            drape.move(Point(-half, y))
            drape.curve(Point(-half * 0.66, depth + 20 + drop * 1.5), Point(half * 0.66, depth + 20 + drop * 1.5), Point(half, y))
            let placed = drape.mapped(place)
            canvas.stroke(placed.shifted(0, 4), Ink.shade.opacity(0.34), width: 8)
            canvas.stroke(placed, cloth.ground.lighter(0.3), width: 5)
        }
    }

    /// The overlap of a wrap: a diagonal edge from the chest, or the waist, to the hem.
    private func drawWrap() {
        let hem = cut.hem
        var edge = Outline()
        if design.silhouette == .wrap {
            edge.move(Point(-27, bodice.shoulderHeight(27)))
            edge.curve(Point(-14, 170), Point(14, 225), Point(46, cut.waist - 2))
            drape(edge)
            edge = Outline()
        }
        let top = design.silhouette == .wrap ? cut.waist : cut.top
        edge.move(Point(40, top))
        edge.curve(Point(34, top + (hem - top) * 0.4), Point(18, top + (hem - top) * 0.8), Point(-12, hem + 14))
        drape(edge)
        crease(Point(44, cut.waist + 4), Point(10, cut.waist + 14), Point(-34, cut.waist + 52), width: 6)
        crease(Point(44, cut.waist + 8), Point(24, cut.waist + 34), Point(-8, cut.waist + 96), width: 6)
        if !design.details.contains(.bow) { knot(at: Point(46, cut.waist + 2), size: 0.8) }
    }

    private func drape(_ edge: Outline) {
        let placed = edge.mapped(place)
        canvas.stroke(placed.shifted(-4, 2), Ink.shade.opacity(0.16), width: 9)
        canvas.stroke(placed, cloth.ground.luma < 0.25 ? Ink.white.opacity(0.35) : Ink.shade.opacity(0.5), width: 2)
        canvas.stroke(
            placed.shifted(2.5, 0), design.details.contains(.piping) ? cloth.trim : Ink.white.opacity(0.16),
            width: design.details.contains(.piping) ? 5 : 3)
    }

    /// Two loops and two ends.
    func knot(at point: Point, size: Double, ink: Ink? = nil) {
        let ink = ink ?? cloth.ground.darker(0.16)
        let center = place(point)
        canvas.moved(to: center, scale: size) {
            for side in [-1.0, 1] {
                var end = Outline()
                end.move(Point(0, 0))
                end.curve(Point(side * 4, 20), Point(side * 12, 40), Point(side * 9, 66))
                end.line(Point(side * 21, 62))
                end.curve(Point(side * 20, 36), Point(side * 12, 14), Point(0, 0))
                end.close()
                canvas.fill(end, .ink(ink))
                canvas.stroke(end, Ink.shade.opacity(0.35), width: 1.2)
                var loop = Outline()
                loop.move(Point(0, 0))
                loop.curve(Point(side * 12, -18), Point(side * 34, -20), Point(side * 33, -2))
                loop.curve(Point(side * 34, 14), Point(side * 12, 12), Point(0, 0))
                loop.close()
                canvas.fill(loop, .ink(ink.lighter(0.05)))
                canvas.stroke(loop, Ink.shade.opacity(0.4), width: 1.2)
                canvas.stroke(
                    Outline([Point(side * 5, -2), Point(side * 20, -6)], closed: false), Ink.shade.opacity(0.3), width: 2)
            }
            canvas.fill(Outline.ellipse(Point(0, 0), 7, 8), ink.lighter(0.08))
            canvas.stroke(Outline.ellipse(Point(0, 0), 7, 8), Ink.shade.opacity(0.4), width: 1.2)
        }
    }

    func drawPlacket(from top: Double, to bottom: Double) {
        var strip = Outline()
        strip.move(Point(-8, top + 2))
        strip.line(Point(8, top + 2))
        strip.line(Point(8, bottom))
        strip.line(Point(-8, bottom))
        strip.close()
        let placed = strip.mapped(place)
        canvas.fill(placed, Ink.white.opacity(0.08))
        for x in [-8.0, 8] { seam(Outline([Point(x, top + 2), Point(x, bottom)], closed: false), width: 1.2) }
        buttons(from: top + 18, to: min(bottom - 20, 640), step: 34, size: 4.2)
    }

    func buttons(from top: Double, to bottom: Double, step: Double, size: Double, x: Double = 0) {
        for y in stride(from: top, through: max(top, bottom), by: step) {
            let center = place(Point(x, y))
            canvas.fill(Outline.ellipse(center + Point(0.8, 1.6), size, size), Ink.shade.opacity(0.35))
            canvas.fill(Outline.ellipse(center, size, size), cloth.trim)
            canvas.stroke(Outline.ellipse(center, size, size), Ink.shade.opacity(0.4), width: 0.9)
            canvas.fill(Outline.ellipse(center + Point(-size * 0.3, -size * 0.3), size * 0.3, size * 0.3), Ink.white.opacity(0.4))
        }
    }

    private func drawCoatFront() {
        let top = design.neckline == .lapels ? bodice.neckDepth + 4 : bodice.neckDepth
        let bottom = cut.hem + cut.bow
        let overlap = design.silhouette == .trench ? 22.0 : 7
        var edge = Outline()
        edge.move(Point(overlap * 0.3, top))
        edge.curve(Point(overlap, top + 20), Point(overlap, top + 40), Point(overlap, top + 70))
        edge.line(Point(overlap, bottom))
        let placed = edge.mapped(place)
        canvas.stroke(placed.shifted(3, 0), Ink.shade.opacity(0.2), width: 6)
        canvas.stroke(placed, cloth.ground.luma < 0.25 ? Ink.white.opacity(0.3) : Ink.shade.opacity(0.5), width: 2)
        switch design.silhouette {
        case .trench:
            for x in [-22.0, 26] { buttons(from: top + 14, to: 400, step: 52, size: 6, x: x) }
        case .duffle:
            // Toggles on loops.
            for y in stride(from: top + 34, through: min(bottom - 70, 430), by: 62) {
                let (left, right) = (place(Point(-26, y)), place(Point(30, y)))
                canvas.stroke(Outline([left, right], closed: false), cloth.trim, width: 3.4)
                canvas.fill(Outline.ellipse(left, 5, 9), cloth.trim)
                canvas.fill(Outline.ellipse(right, 5, 9), cloth.trim)
                canvas.fill(Outline.band([place(Point(-6, y)), place(Point(18, y))]) { _ in 4.4 }, Swatch.tan)
            }
        case .denimJacket: drawDenimFront(from: top)
        case .bomber, .parka:
            let zip = Outline([Point(0, top), Point(0, bottom)], closed: false).mapped(place)
            canvas.stroke(zip, Ink.shade.opacity(0.5), width: 6)
            canvas.stroke(zip, Ink(206, 200, 188), width: 2.6, dash: [2, 3])
        case .blazer: buttons(from: top + 10, to: top + 60, step: 44, size: 6, x: 1)
        default: buttons(from: top + 24, to: min(440, bottom - 60), step: 64, size: 7.5, x: 1)
        }
        if cut.hasRib { ribs(from: cut.profile.bottom - 24, to: cut.profile.bottom) }
    }

    private func drawDenimFront(from top: Double) {
        let bottom = cut.profile.bottom
        for side in [-1.0, 1] {
            // From the chest's flap the seams run together to the waist.
            topstitch(Outline([Point(side * 26, 226), Point(side * 18, bottom - 20)], closed: false))
            topstitch(Outline([Point(side * 52, 226), Point(side * 42, bottom - 20)], closed: false))
            topstitch(Outline([Point(side * (cut.shoulder - 14), 204), Point(side * 9, 204)], closed: false))
            let flap = Outline([
                Point(side * 22, 204), Point(side * 56, 204), Point(side * 56, 216), Point(side * 39, 226), Point(side * 22, 216),
            ])
            self.flap(flap, cloth.ground.lighter(0.03))
            topstitch(flap, apart: 0)
            canvas.fill(Outline.ellipse(place(Point(side * 39, 218)), 3.4, 3.4), Ink(190, 170, 130))
            topstitch(Outline([Point(side * 9, top + 10), Point(side * 9, bottom)], closed: false), apart: 0)
        }
        topstitch(Outline([Point(-72, bottom - 20), Point(72, bottom - 20)], closed: false), apart: 0)
        for y in stride(from: top + 12, through: bottom - 8, by: 36) {
            canvas.fill(Outline.ellipse(place(Point(1, y)), 4.6, 4.6), Ink(198, 178, 136))
            canvas.stroke(Outline.ellipse(place(Point(1, y)), 4.6, 4.6), Ink.shade.opacity(0.5), width: 1)
        }
    }

    func ribs(from top: Double, to bottom: Double) {
        let half = cut.profile.half(bottom)
        for x in stride(from: -half + 5, through: half - 5, by: 9) {
            canvas.stroke(
                Outline([Point(x, top + 8), Point(x * 0.99, bottom + cut.bow * (1 - x * x / half / half) - 1)], closed: false)
                    .mapped(place),
                Ink.shade.opacity(0.24), width: 1.8)
        }
    }

    /// Skin, where a garment shows some: of no person in particular, under any light.
    private var skinHint: Ink { Ink(206, 160, 130) }

    private func drawWaistband() {
        let half = cut.profile.half(cut.top) + (design.kind.hasLegs ? 1 : 0.5)
        var band = Outline()
        band.move(Point(-half, cut.top - 4))
        band.curve(Point(-half * 0.4, cut.top + 1), Point(half * 0.4, cut.top + 1), Point(half, cut.top - 4))
        let low = cut.profile.half(cut.top + 14) + 1
        band.line(Point(low, cut.top + 14))
        band.curve(Point(half * 0.4, cut.top + 20), Point(-half * 0.4, cut.top + 20), Point(-low, cut.top + 14))
        band.close()
        flap(band, cloth.ground.darker(0.08))
        if design.silhouette == .wrapSkirt, !stance.isBack { drawWrap() }
        if Legs.isElastic(design.silhouette) {
            for x in stride(from: -half + 4, through: half - 4, by: 7) {
                canvas.stroke(
                    Outline([Point(x, cut.top - 2), Point(x, cut.top + 17)], closed: false).mapped(place), Ink.shade.opacity(0.2),
                    width: 2)
            }
        } else if design.kind.hasLegs {
            for x in [-44.0, -19, 19, 44] {
                let loop = Outline.rectangle(x - 3, cut.top - 4, 6, 21).mapped(place)
                canvas.fill(loop, cloth.ground.darker(0.04))
                canvas.stroke(loop, seamInk, width: 1)
            }
            if !stance.isBack {
                let ink = design.silhouette.isDenim ? Ink(198, 178, 136) : cloth.trim
                canvas.fill(Outline.ellipse(place(Point(3, cut.top + 8)), 5, 5), ink)
                canvas.stroke(Outline.ellipse(place(Point(3, cut.top + 8)), 5, 5), Ink.shade.opacity(0.5), width: 1)
            }
            if design.silhouette.isDenim {
                for y in [cut.top, cut.top + 15] {
                    topstitch(Outline([Point(-half + 2, y), Point(0, y + 4), Point(half - 2, y)], closed: false), apart: 0)
                }
            }
        }
    }
}
