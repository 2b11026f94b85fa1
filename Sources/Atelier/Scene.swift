/// What is around a garment: wall, floor, table, the light's colour.
struct Scene {
    private enum Kind { case studio, gradient, sweep, corner, concrete, curtain, wood, tiles, linen, rug, door }

    private let kind: Kind
    private let tone: Ink
    private let second: Ink
    private var dice: Dice
    let light: Light

    init(_ presentation: Presentation, view: View, _ dice: inout Dice) {
        let kinds: [(Kind, Double)] =
            switch presentation {
            case .worn: [(.studio, 10), (.gradient, 1.5), (.sweep, 1.5), (.corner, 1.2), (.concrete, 0.7), (.curtain, 0.6)]
            case .mannequin: [(.studio, 5), (.sweep, 1.4), (.corner, 1.4), (.curtain, 0.7)]
            case .hanger: [(.studio, 5), (.gradient, 1), (.door, 1.5), (.concrete, 1), (.curtain, 0.8)]
            case .flat: [(.studio, 5), (.wood, 1.5), (.tiles, 0.8), (.linen, 1.5), (.rug, 0.5), (.gradient, 0.6)]
            }
        kind = dice.pick(kinds)
        let tones = [
            Ink(226, 220, 212), Ink(208, 216, 222), Ink(232, 214, 206), Ink(212, 220, 206), Ink(222, 214, 228),
            Ink(198, 196, 192), Ink(236, 228, 208),
        ]
        let seconds = [Ink(168, 128, 92), Ink(120, 88, 66), Ink(196, 168, 134), Ink(150, 146, 142), Ink(90, 84, 84)]
        tone = dice.pick(tones)
        second = dice.pick(seconds)
        light = Light(
            exposure: dice.between(0.93, 1.06), warmth: dice.between(-0.7, 0.7), grain: 1 + dice.below(3), grainSeed: dice.next())
        self.dice = Dice(seed: dice.next())
    }

    /// - Parameter floor: where a floor begins, in pixels from the top.
    func draw(on canvas: Canvas, floor: Double) {
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
            for _ in 0..<9 {
                let from = Point(dice.unit() * width, dice.unit() * height)
                let turn = dice.between(-0.9, 0.9)
                let long = dice.between(90, 260)
                canvas.moved(to: from, angle: turn) {
                    for (wide, alpha) in [(16.0, 0.05), (8.0, 0.06)] {
                        canvas.fill(Outline.ellipse(Point(0, 0), long, wide), Ink.shade.opacity(alpha))
                        canvas.fill(Outline.ellipse(Point(10, -wide), long * 0.9, wide * 0.8), Ink.white.opacity(alpha * 1.2))
                    }
                }
            }
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
