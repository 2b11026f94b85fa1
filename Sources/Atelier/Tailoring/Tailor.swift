import Foundation

/// Draws one garment in one colour on a canvas whose units are those of the figure.
struct Tailor {
    let canvas: Canvas
    let garment: Garment
    let cloth: Cloth
    let stance: Stance
    let cut: Cut
    let bodice: Bodice
    /// The pattern, where it is one that repeats.
    let tile: Tile?
    private let weave: Tile
    /// How deep this picture's folds are, in 0.6 ... 1.3.
    let depth: Double

    init(canvas: Canvas, garment: Garment, swatch: Swatch, stance: Stance, scale: Double, depth: Double) throws(AtelierError) {
        self.canvas = canvas
        self.garment = garment
        self.stance = stance
        self.depth = depth
        cloth = Cloth(swatch, garment.print)
        cut = Cut(garment)
        bodice = Bodice(design: garment.design, fit: garment.fit, cut: cut, isBack: stance.isBack)
        tile = try Prints.tile(garment, cloth, scale: scale)
        weave = try Prints.weave(garment.design, scale: scale)
    }

    var design: Design { garment.design }

    /// From where it lies on the garment to where the picture shows it.
    func place(_ point: Point) -> Point { stance.place(point, half: cut.half(point.y)) }

    // MARK: Cloth

    /// What a piece of cloth belongs to: half prints and colour blocks treat them differently.
    enum Part { case body, sleeve, flounce, trimming }

    /// Fills a piece with ground, pattern and the shading of a round body.
    /// - Parameter outline: as placed in the picture.
    func lay(_ outline: Outline, _ part: Part, middle: Double = 0, half: Double, angle: Double = 0) {
        switch part {
        case .trimming:
            canvas.fill(outline, .ink(cloth.trim))
        case .sleeve, .flounce, .body:
            canvas.fill(outline, .ink(ground(part)))
            pattern(outline, part, middle: middle, angle: angle)
            var threads = weave
            threads.angle += angle
            canvas.fill(outline, .tile(threads))
        }
        canvas.fill(outline, volume(middle: middle, half: half), fall)
        canvas.stroke(outline, cloth.ground.darker(0.72).opacity(0.5), width: 1.5)
    }

    private func ground(_ part: Part) -> Ink {
        guard design.pattern == .colourBlock else { return cloth.ground }
        return switch part {
        case .sleeve: block == 4 || block == 1 ? cloth.figure : cloth.ground
        case .flounce: block == 0 || block == 3 ? cloth.figure : cloth.ground
        default: cloth.ground
        }
    }

    /// Which blocks a colour-block garment has: 0 below the waist, 1 the yoke, 2 one half, 3 bands, 4 sleeves and hem, 5 a middle panel.
    private var block: Int { garment.print.motif }

    private func pattern(_ outline: Outline, _ part: Part, middle: Double, angle: Double) {
        if design.pattern == .colourBlock {
            if part == .body { canvas.clipped(to: outline) { blocks() } }
            return
        }
        guard var tile else { return }
        tile.angle += angle
        tile.origin = Point(middle, cut.waist)
        if part == .body || part == .flounce {
            tile.squeeze = 1 - 0.25 * abs(stance.turn)
            tile.origin.x += 28 * stance.turn
        }
        switch (garment.print.placement, part) {
        case (.all, _), (.upper, .sleeve): canvas.fill(outline, .tile(tile))
        case (.lower, .flounce): canvas.fill(outline, .tile(tile))
        case (.upper, .body):
            canvas.clipped(to: .rectangle(-400, 0, 800, stance.build.height(cut.waist))) { canvas.fill(outline, .tile(tile)) }
        case (.lower, .body):
            canvas.clipped(to: .rectangle(-400, stance.build.height(cut.waist), 800, 800)) { canvas.fill(outline, .tile(tile)) }
        default: break
        }
    }

    private func blocks() {
        let ink = cloth.figure
        let legs = design.kind.hasLegs ? Legs(design: design, fit: garment.fit, stance: stance) : nil
        let build = stance.build
        let (top, bottom) = (build.height(cut.top), build.height(legs?.bottom ?? cut.hem))
        switch block {
        case 0:
            let level = legs.map { $0.design.kind == .shorts ? $0.bottom - 50 : 540 } ?? cut.waist
            canvas.fill(.rectangle(-400, build.height(level), 800, 800), ink)
        case 1: canvas.fill(.rectangle(-400, 0, 800, build.height(cut.top < 250 ? 206 : cut.top + 60)), ink)
        case 2: canvas.fill(Outline.rectangle(0, 0, 400, 900).mapped(place), ink)
        case 3:
            let step = (bottom - top) / 5
            canvas.fill(.rectangle(-400, top + step * 1.4, 800, step * 0.8), ink)
            canvas.fill(.rectangle(-400, top + step * 3.4, 800, step * 0.8), cloth.spark)
        case 4: canvas.fill(.rectangle(-400, bottom - (bottom - top) * 0.24, 800, 400), ink)
        default:
            canvas.fill(Outline([Point(-30, 0), Point(30, 0), Point(38, 900), Point(-38, 900)]).mapped(place), ink)
        }
    }

    /// The roundness of a body: dark at the sides, lightest where the light comes from.
    private func volume(middle: Double, half: Double) -> Paint {
        let strength = stance.isBody ? 1.0 : 0.5
        let dark = Ink.shade
        let stops: [(Double, Ink)] = [
            (0, dark.opacity(0.22 * strength)), (0.16, dark.opacity(0.06 * strength)), (0.3, Ink.white.opacity(0.1)),
            (0.46, Ink.white.opacity(0)), (0.72, dark.opacity(0.13 * strength)), (1, dark.opacity(0.42 * strength)),
        ]
        return .linear(
            Point(middle - half, 0), Point(middle + half, 30),
            stance.light < 0 ? stops : stops.reversed().map { (1 - $0.0, $0.1) })
    }

    /// Less light further down.
    private var fall: Paint {
        .linear(
            Point(0, 120), Point(0, cut.hem),
            [(0, Ink.white.opacity(0.07)), (0.4, Ink.white.opacity(0)), (1, Ink.shade.opacity(0.12))])
    }

    // MARK: Folds

    /// Folds that open downwards to the waves of a hem.
    func folds(from top: Double, topHalf: Double, to hem: Hem, strength: Double, sharp: Bool) {
        let deep = strength * depth
        let xs = hem.creases
        for index in 1..<max(2, xs.count - 1) where xs.count > 2 {
            let x = xs[index]
            let wide = abs(xs[index] - xs[index - 1])
            // Folds die out at different heights, or they would look like a fence.
            let start = sharp ? top : top + (hem.y - top) * [0.0, 0.3, 0.1, 0.42, 0.18][(index * 3 + garment.index) % 5]
            let share = (start - top) / max(1, hem.y - top)
            let from = Point(x * (topHalf / hem.half + (1 - topHalf / hem.half) * share), start)
            let end = Point(x, hem.height(x))
            wedge(from, end, -wide * (sharp ? 0.36 : 0.42), Ink.shade.opacity((sharp ? 0.17 : 0.12) * deep))
            wedge(from, end, -wide * 0.2, Ink.shade.opacity(0.1 * deep))
            wedge(from, end, wide * (sharp ? 0.3 : 0.34), Ink.white.opacity(0.09 * deep))
        }
    }

    private func wedge(_ top: Point, _ bottom: Point, _ wide: Double, _ ink: Ink) {
        var outline = Outline()
        outline.move(top)
        outline.curve(top.toward(bottom, 0.35), top.toward(bottom, 0.7), bottom)
        outline.line(bottom + Point(wide, 2))
        outline.curve(top.toward(bottom, 0.7) + Point(wide * 0.62, 0), top.toward(bottom, 0.35) + Point(wide * 0.2, 0), top)
        outline.close()
        canvas.fill(outline.mapped(place), ink)
    }

    /// A soft crease with its light edge.
    func crease(_ from: Point, _ bend: Point, _ to: Point, width: Double = 4, strength: Double = 1) {
        var line = Outline()
        line.move(from)
        line.curve(from.toward(bend, 0.66), to.toward(bend, 0.66), to)
        let placed = line.mapped(place)
        canvas.stroke(placed, Ink.shade.opacity(0.09 * strength * depth), width: width)
        canvas.stroke(placed, Ink.shade.opacity(0.08 * strength * depth), width: width * 0.45)
        canvas.stroke(placed.shifted(width * 0.5, -width * 0.5), Ink.white.opacity(0.08 * strength * depth), width: width * 0.6)
    }

    /// A line of stitches.
    func stitch(_ outline: Outline) {
        canvas.stroke(outline.mapped(place), seamInk, width: 1.1, dash: [3.4, 2.6])
    }

    /// The bright thread that denim is sewn with, in two rows.
    func topstitch(_ outline: Outline, apart: Double = 3.4) {
        let placed = outline.mapped(place)
        let thread = cloth.ground.luma > 0.7 ? Ink(150, 140, 126) : Ink(214, 158, 84)
        canvas.stroke(placed.shifted(0.8, 1), Ink.shade.opacity(0.2), width: 2)
        canvas.stroke(placed, thread.opacity(0.9), width: 1.4, dash: [3.6, 1.6])
        if apart > 0 { canvas.stroke(placed.shifted(apart, apart * 0.3), thread.opacity(0.8), width: 1.2, dash: [3.6, 1.6]) }
    }

    /// Denim is lighter where it was worn, or washed.
    func fade(at places: [Point], reach: Double) {
        let strength = design.pattern == .washed ? (cloth.ground.luma < 0.5 ? 0.46 : 0.4) : 0.16
        for point in places {
            let center = place(point)
            canvas.moved(to: center, scale: 1, squeeze: 0.42) {
                canvas.fill(
                    Outline.ellipse(Point(0, 0), reach * 1.3, reach),
                    .radial(
                        Point(0, 0), radius: reach,
                        [(0, Ink.white.opacity(strength)), (0.5, Ink.white.opacity(strength * 0.55)), (1, Ink.white.opacity(0))]))
            }
        }
    }

    /// A seam where two pieces meet.
    func seam(_ outline: Outline, width: Double = 1.5) {
        let placed = outline.mapped(place)
        canvas.stroke(placed.shifted(0, 1.4), Ink.white.opacity(0.16), width: width)
        canvas.stroke(placed, seamInk, width: width)
    }

    /// On dark cloth a seam shows as a light line.
    var seamInk: Ink { cloth.ground.luma < 0.25 ? Ink.white.opacity(0.22) : Ink.shade.opacity(0.34) }

    // MARK: The garment

    /// What shows behind the neck: the inside of the back.
    func drawInside() {
        guard !stance.isBack, design.kind.isUpper else { return }
        let half = bodice.neckHalf
        var inside = Outline()
        if bodice.isBare {
            guard !stance.isBody else { return }
            inside.move(Point(-54, 190))
            inside.curve(Point(-20, 184), Point(20, 184), Point(54, 190))
            inside.line(Point(30, 215))
            inside.line(Point(-30, 215))
        } else {
            let height = bodice.shoulderHeight(half)
            inside.move(Point(-half, height))
            inside.curve(
                Point(-half * 0.6, height + (stance.isBody ? -7 : 9)), Point(half * 0.6, height + (stance.isBody ? -7 : 9)),
                Point(half, height))
            // Square and curved necklines need it as wide as they are; a v would show it beside itself.
            let low = [.v, .lapels, .collar].contains(design.neckline) ? half * 0.6 : half * 0.96
            inside.line(Point(low, bodice.neckDepth))
            inside.line(Point(-low, bodice.neckDepth))
        }
        inside.close()
        canvas.fill(inside.mapped(place), cloth.ground.darker(0.45))
        if !stance.isBody, !bodice.isBare {
            canvas.fill(
                Outline.rectangle(-8, bodice.shoulderHeight(half) + 9, 16, 9).mapped(place), Swatch.cream.opacity(0.9))
        }
    }

    /// Body and flounces, and everything that is sewn on them.
    func drawBody() {
        for flounce in cut.flounces where !flounce.over { draw(flounce) }
        let outline = bodyOutline
        let placed = outline.mapped(place)
        let half = design.kind.hasLegs ? 80 : min(cut.half(cut.waist + 90), 120)
        lay(placed, .body, middle: stance.sway(300), half: half + 6)
        canvas.clipped(to: placed) {
            shadeBody()
        }
        if design.silhouette == .denimJacket { fade(at: [Point(-30, 300), Point(32, 300)], reach: 62) }
        drawEdges()
        for flounce in cut.flounces where flounce.over { draw(flounce) }
        drawDetails()
    }

    var bodyOutline: Outline {
        switch design.kind {
        case .skirt: bodice.skirtOutline(hemWave: cut.wave)
        case .trousers, .shorts, .shoes, .bag: Legs(design: design, fit: garment.fit, stance: stance).outline
        case .dress, .top, .coat: bodice.outline(hemWave: cut.wave)
        }
    }

    private func shadeBody() {
        if design.kind.hasLegs {
            Legs(design: design, fit: garment.fit, stance: stance).shade(self)
            return
        }
        let bottom = cut.profile.bottom
        let hem = Hem(y: bottom, half: cut.profile.half(bottom), flutes: cut.flutes, wave: cut.wave, bow: cut.bow)
        if cut.flutes > 1 {
            folds(
                from: cut.foldTop, topHalf: cut.profile.half(cut.foldTop), to: hem, strength: cut.foldStrength,
                sharp: cut.isPleated)
        }
        if cut.top < 250 {
            // Bust darts and the pull of the cloth from the underarm.
            for side in [-1.0, 1] {
                crease(Point(side * 58, 214), Point(side * 46, 224), Point(side * 26, 226), width: 5)
                crease(Point(side * 52, 268), Point(side * 40, 282), Point(side * 22, 286), width: 4, strength: 0.8)
                if bottom > 430 && cut.flutes < 5 {
                    crease(Point(side * 62, 352), Point(side * 40, 366), Point(side * 12, 362), width: 5, strength: 0.8)
                }
            }
        }
        if bottom > 340 {
            // The hem catches a little light, and is stitched.
            canvas.stroke(hem.line(above: 3).mapped(place), Ink.white.opacity(0.13), width: 5)
            stitch(hem.line(above: 8))
        }
    }

    /// The creases of a garment that nobody ironed.
    func drawCrumple() {
        guard stance.crumple > 0.12 else { return }
        var dice = Dice(seed: UInt64(stance.phase * 1e6))
        let legs = design.kind.hasLegs ? Legs(design: design, fit: garment.fit, stance: stance).bottom : cut.hem
        let (top, bottom) = (max(cut.top, 190), legs)
        canvas.clipped(to: bodyOutline.mapped(place)) {
            for _ in 0..<Int(3 + 9 * stance.crumple) {
                let middle = Point(dice.between(-70, 70), dice.between(top, bottom))
                let turn = dice.between(-0.5, 3.6)
                let reach = Point(cos(turn), sin(turn)) * dice.between(16, 44)
                crease(
                    middle - reach, middle + Point(dice.between(-9, 9), dice.between(-9, 9)), middle + reach,
                    width: dice.between(4, 8), strength: 0.5 + stance.crumple)
            }
        }
    }

    private func draw(_ flounce: Flounce) {
        let hem = Hem(y: flounce.bottom, half: flounce.bottomHalf, flutes: flounce.flutes, wave: cut.isPleated ? 3 : 6, bow: 9)
        var outline = Outline()
        outline.move(Point(-flounce.topHalf, flounce.top))
        outline.curve(
            Point(-flounce.topHalf * 0.4, flounce.top + 5), Point(flounce.topHalf * 0.4, flounce.top + 5),
            Point(flounce.topHalf, flounce.top))
        outline.curve(
            Point(
                flounce.topHalf + (flounce.bottomHalf - flounce.topHalf) * 0.6, flounce.top + (flounce.bottom - flounce.top) * 0.3
            ),
            Point(flounce.bottomHalf, flounce.bottom - (flounce.bottom - flounce.top) * 0.3),
            Point(flounce.bottomHalf, flounce.bottom))
        outline.append(hem.outline)
        outline.curve(
            Point(-flounce.bottomHalf, flounce.bottom - (flounce.bottom - flounce.top) * 0.3),
            Point(
                -flounce.topHalf - (flounce.bottomHalf - flounce.topHalf) * 0.6,
                flounce.top + (flounce.bottom - flounce.top) * 0.3),
            Point(-flounce.topHalf, flounce.top))
        outline.close()
        let placed = outline.mapped(place)
        lay(placed, .flounce, middle: stance.sway(flounce.top), half: min(flounce.bottomHalf, 130))
        canvas.clipped(to: placed) {
            folds(from: flounce.top, topHalf: flounce.topHalf, to: hem, strength: 0.9, sharp: cut.isPleated)
            // The shadow of what hangs above.
            canvas.fill(
                placed,
                .linear(
                    Point(0, flounce.top), Point(0, flounce.top + 26), [(0, Ink.shade.opacity(0.3)), (1, Ink.shade.opacity(0))]))
        }
        canvas.stroke(hem.line(above: 3).mapped(place), Ink.white.opacity(0.14), width: 4)
    }
}

extension Hem {
    /// The hem's line a little above it, without its waves, from right to left.
    func line(above: Double) -> Outline {
        var line = Outline()
        line.move(Point(half * 0.985, y - above))
        line.curve(
            Point(half * 0.4, height(half * 0.4) - above + bow * 0.12),
            Point(-half * 0.4, height(half * 0.4) - above + bow * 0.12),
            Point(-half * 0.985, y - above))
        return line
    }
}
