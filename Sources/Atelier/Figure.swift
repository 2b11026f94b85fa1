/// The person, or the tailor's dummy, that wears a garment.
struct Figure {
    let stance: Stance
    let skin: Ink
    let hair: Ink
    private let build: Build
    /// 0 bob, 1 long, 2 bun, 3 short, 4 ponytail.
    let style: Int
    let shoe: Ink

    static let body = Profile([(205, 59), (296, 47), (385, 70), (440, 70)])

    init(_ stance: Stance, _ dice: inout Dice) {
        self.stance = stance
        let skins = [
            Ink(244, 214, 192), Ink(232, 190, 160), Ink(214, 164, 128), Ink(184, 132, 96), Ink(140, 94, 66), Ink(98, 64, 46),
        ]
        let dummies = [Ink(226, 216, 200), Ink(240, 238, 234), Ink(196, 180, 156), Ink(86, 84, 86)]
        build = stance.build
        skin = stance.presentation == .worn ? dice.pick(skins) : dice.pick(dummies)
        hair = dice.pick([
            Ink(38, 28, 24), Ink(68, 44, 30), Ink(112, 74, 44), Ink(176, 132, 78), Ink(92, 42, 28), Ink(52, 50, 52),
        ])
        let style = dice.below(5)
        self.style = build.wearer == .men ? 3 : style
        shoe = dice.pick([Ink(36, 34, 38), Ink(188, 150, 118), Ink(234, 230, 224), Ink(122, 66, 44)])
    }

    private func place(_ point: Point) -> Point {
        let half = point.y < 205 ? 76 : Self.body.half(point.y)
        return stance.place(point, half: half)
    }

    /// The skin between neck and thighs.
    func drawTorso(on canvas: Canvas) {
        var right = Outline()
        right.move(Point(13, 80))
        right.curve(Point(13, 104), Point(14, 120), Point(30, 128))
        right.curve(Point(44, 136), Point(63, 138), Point(72, 150))
        right.curve(Point(76, 160), Point(62, 185), Point(59, 205))
        Self.body.appendDown(to: &right)
        var outline = right
        outline.line(Point(-70, 440))
        Self.body.appendUpLeft(to: &outline)
        outline.curve(Point(-62, 185), Point(-76, 160), Point(-72, 150))
        outline.curve(Point(-63, 138), Point(-44, 136), Point(-30, 128))
        outline.curve(Point(-14, 120), Point(-13, 104), Point(-13, 80))
        outline.close()
        let placed = outline.mapped(place)
        canvas.fill(placed, .ink(skin), volume(-76, 76))
        // The chin's shadow and the collar bones.
        canvas.fill(
            Outline.ellipse(Point(stance.turn * 6, 98), 13, 11), .ink(Ink(110, 48, 30).opacity(stance.isBack ? 0.06 : 0.24)))
        if !stance.isBack && stance.presentation == .worn {
            for side in [-1.0, 1] {
                var bone = Outline()
                bone.move(Point(side * 9, 139))
                bone.curve(Point(side * 22, 136), Point(side * 38, 138), Point(side * 52, 134))
                canvas.stroke(bone.mapped(place), Ink.shade.opacity(0.13), width: 2)
            }
        }
    }

    private func volume(_ left: Double, _ right: Double) -> Paint {
        let dark = Ink(70, 26, 30).opacity(0.3)
        let none = Ink.shade.opacity(0)
        let lit: [(Double, Ink)] = [(0, Ink.shade.opacity(0.1)), (0.3, none), (0.62, Ink.shade.opacity(0.04)), (1, dark)]
        let stops = stance.light < 0 ? lit : lit.reversed().map { (1 - $0.0, $0.1) }
        return .linear(Point(left, 0), Point(right, 0), stops)
    }

    /// A stretch of an arm; to the wrist, it ends in a hand.
    func drawArm(_ arm: Arm, from start: Double, to end: Double = 1, on canvas: Canvas) {
        if end >= 1 {
            let direction = arm.wrist - arm.elbow
            let along = direction * (1 / max(1, direction.length))
            let palm = arm.wrist + along * 12
            var hand = Outline.band([arm.wrist, palm, palm + along * 12, palm + along * 23]) {
                [8.0, 10.5, 8.5, 4][Int($0 * 3 + 0.5)]
            }
            hand.append(
                Outline.band([palm - along * 4, palm + along * 6 + along.normal * (arm.wrist.x > 0 ? 11 : -11)]) { 4.5 - 2 * $0 })
            canvas.fill(hand, .ink(skin.darker(0.04)), .ink(Ink.shade.opacity(0.04)))
        }
        let outline = Outline.band(arm.spine(from: start, to: end)) { Arm.half(start + (end - start) * $0) * build.girth }
        let middle = (arm.shoulder.x + arm.wrist.x) / 2
        canvas.fill(outline, .ink(skin), volume(middle - 24, middle + 26))
        if start < 0.03 {
            canvas.fill(Outline.ellipse(arm.shoulder + Point(0, 1), 16 * build.girth, 15 * build.girth), skin)
        }
    }

    func leg(_ side: Double) -> [Point] {
        let spread = stance.spread
        let points = [(36.0, 400.0), (33, 500), (29, 585), (31, 650), (26 + spread * 0.6, 755)].map { x, y in
            Point(side * (x + spread * (y - 400) / 500), y)
        }
        return points.map { point in
            let narrow = 1 - 0.5 * abs(stance.turn)
            return build.place(
                Point(point.x * narrow + stance.sway(point.y), point.y + (side * stance.turn > 0 ? -5 : 2) * abs(stance.turn)))
        }
    }

    /// - Parameter top: where trousers end; none of the leg is drawn above.
    func drawLegs(below top: Double, on canvas: Canvas) {
        canvas.clipped(to: .rectangle(-300, build.height(top), 600, 900)) { drawLegs(on: canvas) }
    }

    private func drawLegs(on canvas: Canvas) {
        let order = stance.turn > 0 ? [1.0, -1] : [-1.0, 1]
        for side in order {
            let spine = leg(side)
            let widths = [38.0, 31, 21, 20, 10.5]
            let outline = Outline.band(spine) { widths[min(4, Int($0 * 4 + 0.5))] * build.girth }
            canvas.fill(outline, .ink(skin), volume(spine[1].x - 34, spine[1].x + 34))
            canvas.stroke(
                Outline([spine[2] + Point(-7, 4), spine[2] + Point(6, 6)], closed: false), Ink.shade.opacity(0.1), width: 2.5)
            drawShoe(at: spine[4], side: side, on: canvas)
        }
    }

    private func drawShoe(at ankle: Point, side: Double, on canvas: Canvas) {
        let toe = stance.turn * 34 + side * 5 * (1 - abs(stance.turn))
        var outline = Outline()
        outline.move(ankle + Point(-11, -2))
        outline.curve(ankle + Point(-13, 14), ankle + Point(-14 + toe * 0.4, 26), ankle + Point(-12 + toe, 38))
        outline.curve(ankle + Point(-6 + toe, 46), ankle + Point(8 + toe, 46), ankle + Point(13 + toe, 38))
        outline.curve(ankle + Point(14 + toe * 0.4, 24), ankle + Point(12, 12), ankle + Point(11, -2))
        outline.close()
        if stance.isBack {
            canvas.fill(outline, shoe)
        } else {
            canvas.fill(outline, .ink(skin.darker(0.05)))
            canvas.clipped(to: Outline.rectangle(-400, ankle.y + 15, 800, 60)) { canvas.fill(outline, shoe) }
        }
        canvas.stroke(outline, Ink.shade.opacity(0.18), width: 1)
    }

    // MARK: Head

    private var head: Point { Point(stance.turn * 8 + stance.sway(60) * 0.2, 50) }

    /// Hair that hangs behind the neck.
    func drawBackHair(on canvas: Canvas) {
        guard stance.presentation == .worn, !stance.isBack else { return }
        let length = [92.0, 150, 0, 0, 0][style]
        guard length > 0 else { return }
        let wide = style == 1 ? 39.0 : 38
        canvas.fill(
            .blob([
                head + Point(0, -46), head + Point(wide, -12), head + Point(wide + 2, length - 60), head + Point(20, length - 44),
                head + Point(-20, length - 44), head + Point(-wide - 2, length - 60), head + Point(-wide, -12),
            ]), hair.darker(0.22))
    }

    func drawHead(on canvas: Canvas) {
        guard stance.presentation == .worn else { return drawStandTop(on: canvas) }
        if stance.isBack { return drawBackOfHead(on: canvas) }
        let look = Point(head.x + stance.turn * 9, head.y)
        canvas.fill(
            .blob([
                head + Point(0, -42), head + Point(28, -20), head + Point(28, 8), head + Point(17 + stance.turn * 4, 34),
                head + Point(stance.turn * 9, 44), head + Point(-17 + stance.turn * 4, 34), head + Point(-28, 8),
                head + Point(-28, -20),
            ]), .ink(skin), volume(head.x - 34, head.x + 34))
        drawFace(at: look, on: canvas)
        // The hair's front: a cap that leaves the face free, parted to the side that is lit.
        let part = stance.light * 8
        var cap = Outline()
        cap.move(head + Point(-31, 10))
        cap.curve(head + Point(-38, -34), head + Point(-16, -52), head + Point(2, -50))
        cap.curve(head + Point(22, -51), head + Point(37, -32), head + Point(31, 10))
        cap.curve(head + Point(28, -6), head + Point(24, -20), head + Point(part + stance.turn * 6, -27))
        cap.curve(head + Point(-20, -22), head + Point(-27, -8), head + Point(-31, 10))
        cap.close()
        canvas.fill(cap, hair)
        if style < 2 {
            let length = style == 1 ? 84.0 : 34
            for side in [-1.0, 1] {
                canvas.fill(
                    .blob([
                        head + Point(side * 23, -26), head + Point(side * 36, -4), head + Point(side * 38, length * 0.7),
                        head + Point(side * 31, length), head + Point(side * 25, length * 0.6), head + Point(side * 28, 4),
                    ]), hair)
            }
        } else if style == 2 {
            canvas.fill(Outline.ellipse(head + Point(0, -52), 15, 13), hair)
        }
        if build.wearer == .men, hair.luma < 0.4, stance.light < 0 {
            // A short beard.
            var beard = Outline()
            beard.move(look + Point(-25, 12))
            beard.curve(look + Point(-20, 40), look + Point(-8, 48), look + Point(0, 47))
            beard.curve(look + Point(8, 48), look + Point(20, 40), look + Point(25, 12))
            beard.curve(look + Point(16, 22), look + Point(10, 18), look + Point(0, 18))
            beard.curve(look + Point(-10, 18), look + Point(-16, 22), look + Point(-25, 12))
            beard.close()
            canvas.fill(beard, hair.opacity(0.55))
        }
        canvas.stroke(
            Outline.band([head + Point(part, -44), head + Point(part - 16, -38), head + Point(part - 26, -20)]) { _ in 0.4 },
            Ink.white.opacity(0.14), width: 3)
    }

    private func drawFace(at look: Point, on canvas: Canvas) {
        let line = skin.darker(0.62).opacity(0.75)
        for side in [-1.0, 1] {
            let far = side * stance.turn > 0 ? 1 - 0.35 * abs(stance.turn) : 1
            var eye = Outline()
            eye.move(look + Point(side * 7 * far, 0))
            eye.curve(look + Point(side * 9 * far, 3), look + Point(side * 14 * far, 3), look + Point(side * 17 * far, -1))
            canvas.stroke(eye, line, width: 1.7)
            var brow = Outline()
            brow.move(look + Point(side * 6 * far, -9))
            brow.curve(look + Point(side * 10 * far, -12), look + Point(side * 14 * far, -12), look + Point(side * 18 * far, -9))
            canvas.stroke(brow, hair.opacity(0.7), width: 1.6)
            canvas.fill(Outline.ellipse(look + Point(side * 14 * far, 13), 6, 4), Ink(220, 90, 90).opacity(0.13))
        }
        canvas.stroke(Outline([look + Point(1, 3), look + Point(3, 14)], closed: false), Ink.shade.opacity(0.16), width: 1.6)
        var lips = Outline()
        lips.move(look + Point(-7, 25))
        lips.curve(look + Point(-3, 22), look + Point(3, 22), look + Point(7, 25))
        lips.curve(look + Point(3, 30), look + Point(-3, 30), look + Point(-7, 25))
        canvas.fill(lips, skin.mixed(Ink(170, 50, 60), build.wearer == .women ? 0.55 : 0.3))
    }

    private func drawBackOfHead(on canvas: Canvas) {
        canvas.fill(Outline.ellipse(head + Point(0, 20), 22, 24), skin.darker(0.1))
        let length = [42.0, 100, 18, 20, 24][style]
        canvas.fill(
            .blob([
                head + Point(0, -50), head + Point(29, -32), head + Point(33, 4), head + Point(style == 1 ? 36 : 25, length),
                head + Point(0, length + 5), head + Point(style == 1 ? -36 : -25, length), head + Point(-33, 4),
                head + Point(-29, -32),
            ]), .ink(hair), volume(head.x - 40, head.x + 40))
        if style == 2 { canvas.fill(Outline.ellipse(head + Point(0, -46), 16, 14), hair.lighter(0.06)) }
        if style == 4 {
            canvas.fill(
                Outline.band([head + Point(0, -14), head + Point(3, 20), head + Point(-2, 60), head + Point(2, 92)]) {
                    11 - 8 * $0 * $0
                },
                hair.lighter(0.07))
        }
        for x in [-16.0, -5, 8, 18] {
            canvas.stroke(
                Outline([head + Point(x * 0.6, -38), head + Point(x, length * 0.6)], closed: false), Ink.white.opacity(0.05),
                width: 3)
        }
    }

    /// A dummy ends in a turned wooden cap, and stands on a pole.
    private func drawStandTop(on canvas: Canvas) {
        canvas.fill(Outline.rectangle(-13, 74, 26, 8), Ink(120, 82, 52))
        canvas.fill(Outline.ellipse(Point(0, 66), 8, 9), Ink(140, 98, 62))
    }

    func drawStand(on canvas: Canvas) {
        let floor = build.height(796)
        canvas.fill(
            Outline.rectangle(-5, build.height(420), 10, floor - build.height(420) + 4),
            .linear(Point(-5, 0), Point(5, 0), [(0, Ink(90, 62, 42)), (0.4, Ink(160, 116, 80)), (1, Ink(80, 54, 36))]))
        canvas.fill(Outline.ellipse(Point(0, floor), 62, 11), Ink(70, 48, 34))
        canvas.fill(Outline.ellipse(Point(0, floor - 4), 60, 10), Ink(132, 92, 60))
    }
}
