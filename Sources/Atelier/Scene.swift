import Foundation

/// What is around a garment: wall, floor, table, the light's colour.
struct Scene {
    private enum Kind {
        case studio, gradient, sweep, corner, concrete, curtain, wood, tiles, linen, rug, door
        case street, room, parquet, sheet, carpet, rail
    }

    /// Whether it looks as if taken with a phone: at home or in the street, in whatever light there was.
    let isSnapshot: Bool
    private let kind: Kind
    private let tone: Ink
    private let second: Ink
    /// The colour of cloth that somebody has at home.
    private let vivid: Ink
    private let sun: Sun
    private var dice: Dice
    let light: Light

    /// How light falls on everything alike.
    private enum Sun { case even, window, streak, photographer }

    init(_ shot: Shot, _ dice: inout Dice) {
        // The shop's first picture of a garment is mostly a clean one.
        isSnapshot = dice.chance(shot.view == .main ? 0.22 : 0.58)
        kind = dice.pick(Self.kinds(shot.presentation, shot.garment.design.kind, isSnapshot: isSnapshot))
        let tones = [
            Ink(226, 220, 212), Ink(208, 216, 222), Ink(232, 214, 206), Ink(212, 220, 206), Ink(222, 214, 228),
            Ink(198, 196, 192), Ink(236, 228, 208),
        ]
        let seconds = [Ink(168, 128, 92), Ink(120, 88, 66), Ink(196, 168, 134), Ink(150, 146, 142), Ink(90, 84, 84)]
        tone = dice.pick(tones)
        second = dice.pick(seconds)
        vivid = dice.pick([
            Ink(150, 24, 62), Ink(196, 52, 36), Ink(94, 44, 96), Ink(222, 212, 190), Ink(198, 204, 214), Ink(58, 84, 120),
            Ink(214, 186, 150), Ink(120, 122, 126), Ink(226, 222, 216), Ink(64, 96, 78),
        ])
        let seed = dice.next()
        if isSnapshot {
            sun = dice.pick([(.even, 0.3), (.window, 0.4), (.streak, 0.14), (.photographer, 0.16)])
            light = Light(
                exposure: dice.between(0.82, 1.14), warmth: dice.between(-1.1, 1.5), tint: dice.between(-0.6, 0.6),
                contrast: dice.between(0.8, 1.12), vignette: dice.between(0, 0.28), keystone: dice.between(-0.07, 0.07),
                grain: 3 + dice.below(8), grainSeed: seed)
        } else {
            sun = .even
            light = Light(
                exposure: dice.between(0.93, 1.06), warmth: dice.between(-0.7, 0.7), grain: 1 + dice.below(3), grainSeed: seed)
        }
        self.dice = Dice(seed: dice.next())
    }

    private static func kinds(
        _ presentation: Presentation, _ kind: Atelier.Kind, isSnapshot: Bool
    ) -> [(Kind, Double)] {
        let floors: [(Kind, Double)] = [
            (.wood, 2.4), (.parquet, 1.2), (.tiles, 1.4), (.sheet, 2.6), (.carpet, 1.5), (.linen, 1), (.rug, 0.4),
        ]
        switch (presentation, isSnapshot) {
        case (.worn, true): return [(.street, 5), (.room, 3), (.door, 0.7), (.concrete, 0.8), (.corner, 1)]
        case (.worn, false): return [(.studio, 10), (.gradient, 1.5), (.sweep, 1.5), (.corner, 1.2), (.curtain, 0.6)]
        case (.mannequin, true): return [(.room, 3), (.corner, 1.5), (.curtain, 1), (.concrete, 0.6)]
        case (.mannequin, false): return [(.studio, 5), (.sweep, 1.4), (.corner, 1.4), (.curtain, 0.7)]
        case (.hanger, true): return [(.door, 3), (.rail, 3), (.room, 1.2), (.curtain, 1), (.concrete, 1)]
        case (.hanger, false): return [(.studio, 6), (.gradient, 1), (.curtain, 0.6), (.door, 0.6)]
        case (.flat, true): return floors
        case (.flat, false) where kind.isAccessory: return [(.studio, 7), (.sweep, 1.5), (.gradient, 1)]
        case (.flat, false): return [(.studio, 6), (.wood, 0.7), (.linen, 1), (.gradient, 0.8), (.sheet, 0.5)]
        }
    }

    /// Whether it is seen from above.
    var isFloor: Bool { [.wood, .tiles, .linen, .rug, .parquet, .sheet, .carpet].contains(kind) }

    /// - Parameter floor: where a floor begins, in pixels from the top.
    /// - Throws: `AtelierError.drawing` if memory is short.
    func draw(on canvas: Canvas, floor: Double) throws(AtelierError) {
        var dice = dice
        let (width, height) = (Double(canvas.width), Double(canvas.height))
        let all = Outline.rectangle(0, 0, width, height)
        switch kind {
        case .studio:
            canvas.fill(
                all, .ink(Ink(250, 249, 247)),
                .radial(Point(width / 2, height * 0.4), radius: height * 0.8, [(0, tone.opacity(0)), (1, tone.opacity(0.4))]))
        case .gradient:
            canvas.fill(all, .linear(Point(0, 0), Point(width * 0.3, height), [(0, tone.lighter(0.25)), (1, tone.darker(0.12))]))
        case .sweep:
            canvas.fill(
                all,
                .linear(
                    Point(0, 0), Point(0, height),
                    [(0, tone.darker(0.06)), (0.62, tone.lighter(0.1)), (0.86, tone.darker(0.1)), (1, tone.lighter(0.12))]))
        case .corner:
            canvas.fill(all, .linear(Point(0, 0), Point(width, height), [(0, tone.lighter(0.14)), (1, tone.darker(0.08))]))
            let line = min(height * 0.94, floor)
            canvas.fill(
                .rectangle(0, line, width, height),
                .linear(Point(0, line), Point(0, height), [(0, second.darker(0.14)), (1, second.lighter(0.1))]))
            canvas.fill(.rectangle(0, line - 13, width, 13), tone.lighter(0.5))
            canvas.fill(.rectangle(0, line - 1, width, 3), Ink.shade.opacity(0.25))
        case .concrete:
            canvas.fill(all, Ink(186, 184, 182))
            for _ in 0..<26 {
                let place = Point(dice.unit() * width, dice.unit() * height)
                let size = dice.between(40, 130)
                let ink = dice.chance(0.5) ? Ink.white : Ink.shade
                canvas.fill(
                    Outline.ellipse(place, size, size * 0.7),
                    .radial(place, radius: size, [(0, ink.opacity(0.08)), (1, ink.opacity(0))]))
            }
        case .curtain:
            canvas.fill(all, tone.darker(0.1))
            var x = 0.0
            while x < width {
                let step = dice.between(18, 44)
                canvas.fill(
                    .rectangle(x, 0, step, height),
                    .linear(
                        Point(x, 0), Point(x + step, 0),
                        [(0, Ink.shade.opacity(0.2)), (0.4, Ink.white.opacity(0.16)), (1, Ink.shade.opacity(0.16))]))
                x += step
            }
        case .door:
            canvas.fill(all, .linear(Point(0, 0), Point(width, 0), [(0, second.lighter(0.3)), (1, second.lighter(0.14))]))
            for (x, y) in [(0.08, 0.05), (0.55, 0.05), (0.08, 0.52), (0.55, 0.52)] {
                let panel = Outline.rectangle(x * width, y * height, width * 0.37, height * 0.42)
                canvas.fill(panel, Ink.shade.opacity(0.07))
                canvas.stroke(panel, Ink.shade.opacity(0.2), width: 2)
                canvas.stroke(panel.shifted(2, 2), Ink.white.opacity(0.2), width: 1.5)
            }
        case .wood: drawPlanks(on: canvas, &dice)
        case .street: try drawStreet(on: canvas, floor: floor, &dice)
        case .room: try drawRoom(on: canvas, floor: floor, &dice)
        case .parquet: try drawParquet(on: canvas, &dice)
        case .carpet: try drawCarpet(on: canvas, &dice)
        case .sheet:
            canvas.fill(all, vivid)
            drawWrinkles(on: canvas, count: 16, &dice)
        case .rail:
            canvas.fill(all, .linear(Point(0, 0), Point(width, height), [(0, tone.lighter(0.1)), (1, tone.darker(0.14))]))
            let y = height * dice.between(0.05, 0.1)
            canvas.fill(.rectangle(0, y + 9, width, 7), Ink.shade.opacity(0.14))
            canvas.fill(
                .rectangle(0, y, width, 7),
                .linear(Point(0, y), Point(0, y + 7), [(0, second.lighter(0.3)), (1, second.darker(0.3))]))
            // Its neighbours on the rail reach into the picture.
            for edge in [-1.0, 1] where dice.chance(0.7) {
                let ink = dice.pick(Swatch.allCases).ink.mixed(tone, 0.35)
                let reach = width * dice.between(0.03, 0.12)
                let x = edge < 0 ? 0 : width - reach
                canvas.fill(
                    .rectangle(x, y + height * 0.07, reach, height * dice.between(0.5, 0.8)),
                    .linear(
                        Point(x, 0), Point(x + reach, 0), [(0, ink.darker(0.12)), (0.5, ink.lighter(0.06)), (1, ink.darker(0.2))])
                )
            }
        case .tiles:
            canvas.fill(all, tone.darker(0.04))
            let size = dice.between(90, 170)
            let turn = dice.chance(0.5) ? 0.785 : 0.02
            canvas.moved(to: Point(width / 2, height / 2), angle: turn) {
                for step in -6...6 {
                    let at = Double(step) * size
                    canvas.stroke(Outline([Point(at, -700), Point(at, 700)], closed: false), Ink.shade.opacity(0.26), width: 2.4)
                    canvas.stroke(Outline([Point(-700, at), Point(700, at)], closed: false), Ink.shade.opacity(0.26), width: 2.4)
                }
            }
        case .linen:
            canvas.fill(all, second.lighter(0.3))
            drawWrinkles(on: canvas, count: 8, &dice)
        case .rug:
            let ground = Ink(150, 66, 58).mixed(second, dice.unit())
            canvas.fill(all, ground)
            for row in 0..<7 {
                for column in 0..<5 {
                    let place = Point((Double(column) + (row % 2 == 0 ? 0.5 : 0)) * width / 4.5, Double(row) * height / 6)
                    canvas.stroke(Outline.ellipse(place, 30, 26), ground.lighter(0.25), width: 5)
                    canvas.fill(Outline.ellipse(place, 11, 9), ground.darker(0.3))
                }
            }
        }
    }

    /// What the light does to the whole picture: it falls from a window, or somebody stands in it.
    func drawLight(on canvas: Canvas) {
        guard sun != .even else { return }
        var dice = dice
        let (width, height) = (Double(canvas.width), Double(canvas.height))
        switch sun {
        case .even: break
        case .window:
            let from = Point(dice.chance(0.5) ? 0 : width, dice.between(0, 0.5) * height)
            canvas.paint(
                .linear(
                    from, Point(width - from.x, height * dice.between(0.6, 1)),
                    [
                        (0, Ink.white.opacity(0.16)), (0.45, Ink.white.opacity(0)),
                        (1, Ink.shade.opacity(dice.between(0.16, 0.38))),
                    ]))
        case .streak:
            let x = width * dice.between(-0.1, 0.7)
            let (wide, lean) = (width * dice.between(0.16, 0.34), width * dice.between(-0.4, 0.4))
            canvas.paint(.ink(Ink.shade.opacity(0.12)))
            canvas.fill(
                Outline([Point(x, 0), Point(x + wide, 0), Point(x + wide + lean, height), Point(x + lean, height)]),
                Ink(255, 244, 214).opacity(0.17))
        case .photographer:
            let center = Point(width * dice.between(0.2, 0.8), height * dice.between(0.95, 1.1))
            canvas.paint(
                .radial(
                    center, radius: height * dice.between(0.4, 0.62),
                    [(0, Ink.shade.opacity(0.4)), (0.6, Ink.shade.opacity(0.28)), (1, Ink.shade.opacity(0))]))
        }
    }

    // MARK: Floors

    private func drawWrinkles(on canvas: Canvas, count: Int, _ dice: inout Dice) {
        for _ in 0..<count {
            let from = Point(dice.unit() * Double(canvas.width), dice.unit() * Double(canvas.height))
            let turn = dice.between(-1.1, 1.1)
            let long = dice.between(50, 170) * Double(canvas.width) / 384
            let wide = dice.between(9, 20) * Double(canvas.width) / 384
            // A ridge: light on one side, dark on the other, soft everywhere.
            for (shift, ink) in [(0.6, Ink.shade.opacity(0.2)), (-0.6, Ink.white.opacity(0.22))] {
                canvas.moved(
                    to: from + Point(-sin(turn), cos(turn)) * (shift * wide), angle: turn, scale: wide, squeeze: long / wide
                ) {
                    canvas.fill(
                        Outline.ellipse(Point(0, 0), 1, 1), .radial(Point(0, 0), radius: 1, [(0, ink), (1, ink.opacity(0))]))
                }
            }
        }
    }

    /// Squares of strips, each across its neighbours.
    private func drawParquet(on canvas: Canvas, _ dice: inout Dice) throws(AtelierError) {
        let side = Double(canvas.width) * dice.between(0.16, 0.26)
        let pixels = max(8, Int(side.rounded()) * 2)
        let tile = try Canvas(width: pixels, height: pixels)
        let strips = 5
        for square in 0..<4 {
            let (left, top) = (Double(square % 2) * Double(pixels) / 2, Double(square / 2) * Double(pixels) / 2)
            let step = Double(pixels) / 2 / Double(strips)
            for strip in 0..<strips {
                let ink = second.lighter(0.1).mixed(Ink(190, 140, 88), dice.between(0.2, 0.6)).darker(dice.between(0, 0.14))
                let at = Double(strip) * step
                let piece =
                    square == 0 || square == 3
                    ? Outline.rectangle(left + at, top, step, Double(pixels) / 2)
                    : Outline.rectangle(left, top + at, Double(pixels) / 2, step)
                tile.fill(piece, ink)
                tile.stroke(piece, Ink.shade.opacity(0.28), width: 1)
            }
        }
        var whole = Tile(canvas: tile, resolution: 1)
        whole.angle = dice.chance(0.5) ? 45 : dice.between(-5, 5)
        canvas.paint(.tile(whole))
    }

    /// A woven pattern, as of a carpet or a blanket.
    private func drawCarpet(on canvas: Canvas, _ dice: inout Dice) throws(AtelierError) {
        let side = Double(canvas.width) * dice.between(0.24, 0.5)
        let pixels = max(12, Int(side.rounded()))
        let tile = try Canvas(width: pixels, height: pixels)
        let ground = dice.pick([
            Ink(92, 32, 30), Ink(70, 52, 40), Ink(40, 58, 50), Ink(150, 128, 98), Ink(64, 66, 78), Ink(186, 168, 140),
        ])
        let figure = ground.luma > 0.4 ? ground.darker(0.42) : ground.lighter(dice.between(0.24, 0.5))
        let spark = dice.pick([Ink(176, 120, 60), Ink(150, 52, 44), Ink(196, 184, 150), Ink(80, 100, 84)])
        let isFloral = dice.chance(0.6)
        tile.moved(to: Point(0, 0), scale: Double(pixels)) {
            tile.fill(.rectangle(0, 0, 1, 1), ground)
            if isFloral {
                // Scrolls around a blossom; what crosses an edge comes in at the other.
                for (x, y) in [(0.5, 0.5), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
                    for petal in 0..<6 {
                        let angle = Double(petal) * .pi / 3
                        let at = Point(x + 0.13 * cos(angle), y + 0.13 * sin(angle))
                        tile.fill(Outline.ellipse(at, 0.09, 0.05, turned: angle), x == 0.5 ? spark : figure)
                    }
                    tile.fill(Outline.ellipse(Point(x, y), 0.05, 0.05), x == 0.5 ? figure : spark)
                }
                for turn in 0..<4 {
                    tile.moved(to: Point(0.5, 0.5), angle: Double(turn) * .pi / 2) {
                        tile.stroke(
                            .line(through: [
                                Point(0.22, 0.04), Point(0.36, -0.05), Point(0.44, 0.08), Point(0.34, 0.14), Point(0.3, 0.06),
                            ]),
                            figure, width: 0.025)
                        tile.fill(Outline.ellipse(Point(0.36, -0.14), 0.08, 0.03, turned: 0.6), figure)
                    }
                }
            } else {
                tile.fill(Outline([Point(0.5, 0), Point(1, 0.5), Point(0.5, 1), Point(0, 0.5)]), figure)
                tile.fill(Outline([Point(0.5, 0.16), Point(0.84, 0.5), Point(0.5, 0.84), Point(0.16, 0.5)]), ground)
                tile.fill(Outline([Point(0.5, 0.32), Point(0.68, 0.5), Point(0.5, 0.68), Point(0.32, 0.5)]), spark)
            }
        }
        var whole = Tile(canvas: tile, resolution: 1)
        whole.angle = dice.between(-14, 14)
        canvas.paint(.tile(whole))
    }

    // MARK: Around a person

    /// Draws small and shows it large: what is far behind is out of focus.
    private func blurred(by factor: Double, on canvas: Canvas, _ body: (Canvas) -> Void) throws(AtelierError) {
        // A cell more at each side, or the far edge would show in the near one.
        let small = try Canvas(
            width: Int((Double(canvas.width) / factor).rounded(.up)) + 2,
            height: Int((Double(canvas.height) / factor).rounded(.up)) + 2)
        small.moved(to: Point(1, 1), scale: 1 / factor) { body(small) }
        var tile = Tile(canvas: small, resolution: 1 / factor)
        tile.origin = Point(-factor, -factor)
        canvas.paint(.tile(tile))
    }

    /// House fronts, windows, a shop, a tree or a car, and the pavement in front.
    private func drawStreet(on canvas: Canvas, floor: Double, _ dice: inout Dice) throws(AtelierError) {
        let (width, height) = (Double(canvas.width), Double(canvas.height))
        // Some way behind the person, so a little higher than where she stands.
        let ground = min(floor - height * 0.05, height * 0.97)
        let wall = dice.pick([Ink(176, 152, 132), Ink(150, 100, 80), Ink(196, 188, 176), Ink(132, 140, 148), Ink(208, 190, 156)])
        let glass = Ink(58, 70, 84)
        var picture = dice
        try blurred(by: width / 384 * picture.between(4, 9), on: canvas) { small in
            small.fill(.rectangle(-20, -20, width + 40, height + 40), wall)
            small.fill(
                .rectangle(-20, -20, width + 40, height + 40),
                .linear(Point(0, 0), Point(width, 0), [(0, Ink.white.opacity(0.16)), (1, Ink.shade.opacity(0.24))]))
            var x = -width * picture.between(0, 0.2)
            let step = width * picture.between(0.3, 0.46)
            while x < width {
                for y in [-0.04, 0.3] {
                    let window = Outline.rectangle(x, height * y, step * 0.56, height * 0.2)
                    small.fill(window.shifted(-4, -4), wall.lighter(0.3))
                    small.fill(window, glass.lighter(picture.between(0, 0.3)))
                    small.fill(.rectangle(x + step * 0.26, height * y, step * 0.04, height * 0.2), wall.lighter(0.4))
                }
                // The shop below: its window, warm with light, under an awning.
                let awning = picture.pick([Ink(150, 40, 44), Ink(36, 84, 76), Ink(44, 56, 96), Ink(200, 160, 70)])
                small.fill(.rectangle(x - step * 0.1, height * 0.6, step * 0.94, ground - height * 0.6), glass)
                small.fill(
                    .rectangle(x, height * 0.63, step * 0.74, ground - height * 0.7),
                    Ink(224, 190, 130).opacity(picture.between(0.2, 0.8)))
                small.fill(.rectangle(x - step * 0.13, height * 0.55, step, height * 0.07), awning)
                x += step
            }
            if picture.chance(0.4) {
                let at = Point(width * picture.between(0, 1), height * picture.between(0.1, 0.4))
                small.fill(.rectangle(at.x - 8, at.y, 16, ground - at.y), Ink(70, 56, 46))
                for _ in 0..<9 {
                    let leaf = at + Point(picture.between(-80, 80), picture.between(-90, 60))
                    small.fill(Outline.ellipse(leaf, 46, 38), Ink(70, 104, 58).lighter(picture.between(0, 0.3)))
                }
            }
            if picture.chance(0.4) {
                let at = Point(width * picture.between(-0.1, 0.8), ground - height * 0.02)
                let paint = picture.pick([Ink(168, 30, 34), Ink(40, 60, 110), Ink(210, 210, 212), Ink(40, 42, 46)])
                small.fill(.rounded(at.x - 10, at.y - 66, 240, 56, radius: 20), paint)
                small.fill(.rounded(at.x + 40, at.y - 104, 130, 60, radius: 24), paint.darker(0.3))
                for wheel in [36.0, 180] { small.fill(Outline.ellipse(at + Point(wheel, -10), 22, 22), Ink(24, 24, 28)) }
            }
            small.fill(
                .rectangle(-20, ground, width + 40, height),
                .linear(Point(0, ground), Point(0, height + 1), [(0, Ink(138, 134, 130)), (1, Ink(176, 172, 166))]))
            small.fill(.rectangle(-20, ground, width + 40, 8), Ink(196, 192, 186))
        }
        // The pavement near by is sharp.
        let joint = Ink.shade.opacity(0.16)
        for row in 1..<4 {
            let y = ground + (height - ground) * Double(row * row) / 9
            canvas.stroke(Outline([Point(0, y), Point(width, y)], closed: false), joint, width: 1.6)
        }
        for column in -4...4 {
            let x = width / 2 + Double(column) * width * 0.17
            canvas.stroke(
                Outline([Point(x, ground + 9), Point(width / 2 + (x - width / 2) * 1.9, height)], closed: false), joint,
                width: 1.6)
        }
    }

    /// A wall at home with what stands before it: a bed, a shelf, a plant, a picture.
    private func drawRoom(on canvas: Canvas, floor: Double, _ dice: inout Dice) throws(AtelierError) {
        let (width, height) = (Double(canvas.width), Double(canvas.height))
        let line = min(height * 0.93, floor - height * 0.02)
        let tone = tone
        let (second, vivid) = (second, vivid)
        var picture = dice
        try blurred(by: width / 384 * picture.between(2.5, 5), on: canvas) { small in
            small.fill(
                .rectangle(-20, -20, width + 40, height + 40),
                .linear(Point(0, 0), Point(width, height), [(0, tone.lighter(0.1)), (1, tone.darker(0.2))]))
            if picture.chance(0.6) {
                let frame = Outline.rectangle(
                    width * picture.between(-0.1, 0.8), height * picture.between(0.04, 0.2), width * 0.26, height * 0.2)
                small.fill(frame, second.darker(0.3))
                small.fill(
                    frame,
                    .linear(Point(0, 0), Point(width, height), [(0, vivid.lighter(0.3)), (1, second.lighter(0.2))]))
                small.stroke(frame, second.darker(0.4), width: 6)
            }
            small.fill(
                .rectangle(-20, line, width + 40, height),
                .linear(Point(0, line), Point(0, height + 1), [(0, second.darker(0.2)), (1, second.lighter(0.12))]))
            small.fill(.rectangle(-20, line - 10, width + 40, 10), tone.lighter(0.5))
            let left = picture.chance(0.5)
            let x = left ? -width * picture.between(0.05, 0.3) : width * picture.between(0.62, 0.85)
            if picture.chance(0.5) {
                // A shelf with things on it.
                small.fill(.rectangle(x, line - height * 0.62, width * 0.42, height * 0.62), second.lighter(0.2))
                for shelf in 0..<4 {
                    let y = line - height * (0.59 - 0.15 * Double(shelf))
                    small.fill(.rectangle(x + 6, y, width * 0.42 - 12, height * 0.12), second.darker(0.36))
                    for thing in 0..<5 {
                        small.fill(
                            .rectangle(x + 12 + Double(thing) * 26, y + height * 0.03, 18, height * 0.09),
                            picture.pick(Swatch.allCases).ink.mixed(tone, 0.3))
                    }
                }
            } else {
                // A bed under its cover.
                small.fill(.rounded(x - 30, line - height * 0.2, width * 0.6, height * 0.24, radius: 24), vivid)
                small.fill(.rounded(x - 10, line - height * 0.26, width * 0.3, height * 0.1, radius: 18), Ink(236, 232, 226))
            }
            if picture.chance(0.4) {
                let at = Point(left ? width * 0.9 : width * 0.08, line)
                small.fill(
                    Outline([at + Point(-22, -52), at + Point(22, -52), at + Point(16, 4), at + Point(-16, 4)]), Ink(176, 104, 74)
                )
                for leaf in -3...3 {
                    small.fill(
                        Outline.ellipse(
                            at + Point(Double(leaf) * 14, -110 + abs(Double(leaf)) * 10), 14, 62, turned: Double(leaf) * 0.26),
                        Ink(62, 102, 62).lighter(picture.between(0, 0.2)))
                }
            }
        }
    }

    private func drawPlanks(on canvas: Canvas, _ dice: inout Dice) {
        let (width, height) = (Double(canvas.width), Double(canvas.height))
        let plank = dice.between(64, 110)
        let upright = dice.chance(0.5)
        let span = upright ? width : height
        var at = -dice.unit() * plank
        while at < span {
            let ink = second.lighter(0.16).mixed(Ink(186, 142, 98), dice.between(0, 0.5)).darker(dice.between(0, 0.1))
            canvas.fill(upright ? .rectangle(at, 0, plank, height) : .rectangle(0, at, width, plank), ink)
            for _ in 0..<5 {
                let offset = at + dice.between(4, plank - 4)
                let bend = dice.between(-6, 6)
                var grain = Outline()
                grain.move(upright ? Point(offset, 0) : Point(0, offset))
                let end = upright ? Point(offset, height) : Point(width, offset)
                let middle = upright ? Point(offset + bend, height / 2) : Point(width / 2, offset + bend)
                grain.through([middle, end])
                canvas.stroke(grain, Ink.shade.opacity(0.09), width: dice.between(1, 2.5))
            }
            canvas.fill(upright ? .rectangle(at, 0, 2, height) : .rectangle(0, at, width, 2), Ink.shade.opacity(0.4))
            at += plank
        }
    }
}
