import Foundation

/// How a garment is shown.
public enum Presentation: String, Sendable, Hashable, CaseIterable { case worn, mannequin, hanger, flat }

/// An arm from the shoulder to the wrist, in units of the figure.
struct Arm {
    var shoulder: Point
    var elbow: Point
    var wrist: Point

    /// The place at a share 0 ... 1 of the way from shoulder to wrist; the elbow is rounded.
    func point(_ share: Double) -> Point {
        let bend = 0.52
        let (before, after) = (bend - 0.1, bend + 0.1)
        if share <= before { return shoulder.toward(elbow, share / bend) }
        if share >= after { return elbow.toward(wrist, (share - bend) / (1 - bend)) }
        let from = shoulder.toward(elbow, before / bend)
        let to = elbow.toward(wrist, (after - bend) / (1 - bend))
        let t = (share - before) / (after - before)
        return from.toward(elbow, t).toward(elbow.toward(to, t), t)
    }

    func spine(from start: Double, to end: Double) -> [Point] {
        let count = max(4, Int((end - start) * 14))
        return (0...count).map { point(start + (end - start) * Double($0) / Double(count)) }
    }

    /// Half the width of the bare arm there.
    static func half(_ share: Double) -> Double {
        share < 0.5 ? 17 - 6 * share : 14 - 10.5 * (share - 0.5)
    }
}

/// What makes a man or a child of the figure that everything is drawn in: garments change with their wearers.
struct Build: Sendable {
    let wearer: Wearer

    /// Where a place on the figure is on this wearer.
    func place(_ point: Point) -> Point { Point(point.x * width(point.y), height(point.y)) }

    /// Children are short below the head, which is as large as any.
    func height(_ y: Double) -> Double { wearer == .kids && y > 118 ? 118 + (y - 118) * 0.7 : y }

    /// Of arms and legs, as a factor.
    var girth: Double {
        switch wearer {
        case .women: 1
        case .men: 1.13
        case .kids: 0.82
        }
    }

    /// Men are wider in the shoulders and hardly have a waist; children have none.
    func width(_ y: Double) -> Double {
        func between(_ chest: Double, _ waist: Double, _ hip: Double) -> Double {
            func smooth(_ from: Double, _ to: Double) -> Double {
                let t = min(1, max(0, (y - from) / (to - from)))
                return t * t * (3 - 2 * t)
            }
            return chest + (waist - chest) * smooth(210, 296) + (hip - waist) * smooth(296, 400)
        }
        return switch wearer {
        case .women: 1
        case .men: between(1.11, 1.17, 1.02)
        case .kids: between(0.82, 0.92, 0.83)
        }
    }
}

/// How a body, or a garment without one, is placed in a picture.
struct Stance {
    let build: Build
    var presentation: Presentation
    var isBack: Bool
    /// Sine of the turn to the right; 0 is frontal.
    var turn: Double
    /// How far the hip is shifted to the right, in units.
    var lean: Double
    /// As the picture shows them.
    var leftArm: Arm
    var rightArm: Arm
    /// How far the feet are apart beyond the usual, in units.
    var spread: Double
    /// -1: the light comes from the left, 1: from the right.
    var light: Double
    /// How much edges and seams wander, in 0 ... 1, and where they begin to.
    let crumple: Double
    let phase: Double

    var isBody: Bool { presentation == .worn || presentation == .mannequin }

    /// - Parameter crumple: how carelessly the garment was laid down, in 0 ... 1.
    init(
        _ presentation: Presentation, view: View, wearer: Wearer, shoulder: Double, crumple: Double = 0, _ dice: inout Dice
    ) {
        let build = Build(wearer: wearer)
        self.build = build
        self.presentation = presentation
        self.crumple = presentation == .flat ? crumple : crumple * 0.4
        phase = dice.between(0, 6.28)
        isBack = view == .back
        turn = 0
        lean = 0
        spread = 0
        light = dice.sign()
        switch presentation {
        case .worn, .mannequin:
            switch view {
            case .side: turn = dice.sign() * dice.between(0.42, 0.66)
            case .back: turn = dice.between(-0.15, 0.15)
            case .main, .detail: turn = dice.between(-0.12, 0.12)
            }
            if presentation == .worn {
                lean = dice.between(-11, 11)
                spread = dice.between(-2, 12)
            }
        case .hanger, .flat:
            spread = dice.between(6, 16)
        }
        let poses: [(elbow: Point, wrist: Point)] =
            switch presentation {
            case .worn:
                [
                    (Point(95, 284), Point(102, 398)), (Point(104, 280), Point(124, 386)), (Point(142, 262), Point(88, 345)),
                    (Point(110, 283), Point(84, 386)), (Point(99, 286), Point(106, 402)),
                ]
            case .mannequin: [(Point(92, 284), Point(98, 398)), (Point(97, 284), Point(108, 396))]
            case .hanger: [(Point(99, 282), Point(108, 402)), (Point(108, 280), Point(126, 396))]
            case .flat:
                [
                    (Point(146, 250), Point(190, 352)), (Point(128, 264), Point(156, 378)), (Point(152, 242), Point(206, 328)),
                    (Point(114, 272), Point(126, 394)), (Point(132, 258), Point(142, 376)),
                ]
            }
        // A garment laid down lies alike on both sides; a person seldom stands so.
        let first = dice.pick(poses)
        let second = isBack || presentation == .worn ? dice.pick(poses) : first
        let jitter = Point(dice.between(-6, 6), dice.between(-8, 8))
        func arm(_ pose: (elbow: Point, wrist: Point)) -> Arm {
            let out = shoulder - 77
            return Arm(
                shoulder: build.place(Point(shoulder - 9, 150)), elbow: build.place(pose.elbow + Point(out, 0)),
                wrist: build.place(pose.wrist + jitter + Point(out, 0)))
        }
        let (left, right) = (arm(first), arm(second))
        leftArm = Arm(shoulder: left.shoulder.mirrored, elbow: left.elbow.mirrored, wrist: left.wrist.mirrored)
        rightArm = right
        turnArms()
    }

    /// A turned body shows the nearer arm in front of itself, the other half hidden.
    private mutating func turnArms() {
        guard turn != 0 else { return }
        func turned(_ arm: Arm, side: Double) -> Arm {
            let isFar = side == (turn > 0 ? 1 : -1)
            let narrow = 1 - 0.4 * abs(turn)
            func place(_ point: Point, _ forward: Double) -> Point {
                Point(point.x * narrow + turn * forward + sway(point.y), point.y)
            }
            return Arm(
                shoulder: place(arm.shoulder, isFar ? -6 : 2), elbow: place(arm.elbow, isFar ? -12 : 6),
                wrist: place(arm.wrist, isFar ? 4 : 30))
        }
        leftArm = turned(leftArm, side: -1)
        rightArm = turned(rightArm, side: 1)
    }

    /// How far the body is out of the vertical at a height.
    func sway(_ y: Double) -> Double {
        guard lean != 0 else { return 0 }
        func smooth(_ from: Double, _ to: Double) -> Double {
            let t = min(1, max(0, (y - from) / (to - from)))
            return t * t * (3 - 2 * t)
        }
        return lean * (smooth(150, 390) - 0.9 * smooth(430, 760))
    }

    /// Where a point on the front of a body or garment comes to lie.
    /// - Parameter half: half the width of what it lies on, at its height. Points at that distance are the outline.
    func place(_ point: Point, half: Double) -> Point {
        build.place(isBody ? bend(point, half: half) : lay(point))
    }

    /// Cloth without a body never lies quite straight.
    private func lay(_ point: Point) -> Point {
        let wander = Point(
            sin(point.y / 47 + phase) + 0.6 * sin(point.y / 19 + 2 * phase), 0.9 * sin(point.x / 41 + 3 * phase))
        return Point(point.x * 1.04, point.y) + wander * (2.6 * crumple)
    }

    private func bend(_ point: Point, half: Double) -> Point {
        let half = max(half, abs(point.x), 1)
        let cosine = (1 - turn * turn).squareRoot()
        // Bodies are less deep than wide; wide skirts are round.
        let narrow = 1 - (1 - cosine) * (half < 80 ? 1.25 : 100 / half)
        let share = point.x / half
        let depth = min(1, max(0, (point.y - 118) / 70))
        let forward = min(half, 110) * 0.52 * (1 - share * share).squareRoot() * depth
        var x = point.x * narrow + forward * turn + sway(point.y)
        // The profile of a turned body: the chest to the front, the seat to the back.
        let chest = exp(-pow((point.y - 218) / 34, 2)) * 9
        let seat = exp(-pow((point.y - 392) / 52, 2)) * 11
        x += share * turn > 0 ? chest * turn * abs(share) : -seat * turn * abs(share) * (half > 100 ? 0.4 : 1)
        return Point(x, point.y)
    }
}
