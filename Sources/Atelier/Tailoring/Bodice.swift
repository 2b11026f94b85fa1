/// The outline of what is worn on the upper body: neckline, shoulders, armholes, side seams, hem.
struct Bodice {
    let design: Design
    let fit: Fit
    let cut: Cut
    let isBack: Bool

    /// Whether the shoulders are bare, so that the garment begins at the chest.
    var isBare: Bool { design.sleeve == .strap || design.neckline == .offShoulder }

    /// Half the width of the neck opening, at the shoulders.
    var neckHalf: Double {
        switch design.neckline {
        case .crew, .turtleneck, .keyhole, .hood, .stand: 25
        case .v: 33
        case .collar, .lapels: 27
        case .scoop: 45
        case .sweetheart: 52
        case .square: 48
        case .boat: 64
        case .cowl: 42
        case .halter: 17
        case .offShoulder, .none: 50
        }
    }

    /// How far down the neckline reaches in the middle of the front.
    var neckDepth: Double {
        if isBack { return design.neckline == .scoop || design.neckline == .v ? 158 : bodiceBack }
        let deeper = 8 * fit.neck
        return switch design.neckline {
        case .crew, .keyhole: 143
        case .turtleneck, .stand, .hood: 138
        case .v: 218 + deeper
        case .collar: 162
        case .lapels: design.silhouette == .cocoon ? 210 : 244 + deeper
        case .scoop: 196 + deeper
        case .square: 184 + deeper
        case .sweetheart: 206
        case .boat: 146
        case .cowl: 168 + deeper
        case .halter: 140
        case .offShoulder, .none: 170
        }
    }

    /// Backs are cut high, but wide necklines reach a little lower.
    private var bodiceBack: Double { 132 + max(0, neckHalf - 30) * 0.7 }

    /// From the left end of the neckline to the right one.
    var neckline: Outline {
        var edge = Outline()
        if isBare { return bareEdge }
        let half = neckHalf
        let depth = neckDepth
        let left = Point(-half, shoulderHeight(half))
        edge.move(left)
        if isBack {
            edge.curve(Point(-half * 0.7, depth), Point(half * 0.7, depth), left.mirrored)
            return edge
        }
        switch design.neckline {
        case .v, .collar, .lapels:
            edge.curve(Point(-half * 0.75, left.y + 20), Point(-half * 0.3, depth - 24), Point(0, depth))
            edge.curve(Point(half * 0.3, depth - 24), Point(half * 0.75, left.y + 20), left.mirrored)
        case .square:
            edge.line(Point(-half + 4, depth))
            edge.line(Point(half - 4, depth))
            edge.line(left.mirrored)
        case .sweetheart:
            edge.line(Point(-half + 1, 180))
            edge.curve(Point(-half * 0.8, 156), Point(-11, 154), Point(0, depth))
            edge.curve(Point(11, 154), Point(half * 0.8, 156), Point(half - 1, 180))
            edge.line(left.mirrored)
        default:
            let reach = (depth - 0.25 * left.y) / 0.75
            edge.curve(Point(-half * 0.92, reach), Point(half * 0.92, reach), left.mirrored)
        }
        return edge
    }

    /// The upper edge of a garment on straps, or off the shoulder.
    private var bareEdge: Outline {
        var edge = Outline()
        if design.neckline == .offShoulder {
            edge.move(Point(-68, 172))
            edge.curve(Point(-40, 184), Point(40, 184), Point(68, 172))
            return edge
        }
        let left = Point(-54, 186)
        edge.move(left)
        if isBack {
            edge.curve(Point(-30, 214), Point(30, 214), left.mirrored)
            return edge
        }
        switch design.neckline {
        case .v:
            edge.line(strapFoot.mirrored)
            edge.curve(Point(-26, 176), Point(-10, 200), Point(0, 212))
            edge.curve(Point(10, 200), Point(26, 176), strapFoot)
        case .square:
            edge.line(strapFoot.mirrored)
            edge.line(Point(-36, 172))
            edge.line(Point(36, 172))
            edge.line(strapFoot)
        case .scoop:
            edge.line(strapFoot.mirrored)
            edge.curve(Point(-32, 208), Point(32, 208), strapFoot)
        default:
            edge.line(strapFoot.mirrored)
            edge.curve(Point(-30, 152), Point(-10, 166), Point(0, 188))
            edge.curve(Point(10, 166), Point(30, 152), strapFoot)
        }
        edge.line(left.mirrored)
        return edge
    }

    /// Where a thin strap is sewn on.
    var strapFoot: Point { Point(41, 166) }

    /// The height of the shoulder seam at a distance from the middle.
    func shoulderHeight(_ x: Double) -> Double { 124 + (abs(x) - 14) * 0.24 }

    /// The whole front or back, from neckline to hem.
    func outline(hemWave: Double) -> Outline {
        var outline = neckline
        let top = Point(cut.profile.half(cut.top), cut.top)
        if isBare {
            outline.curve(outline.last + Point(3, 8), top + Point(-2, -10), top)
        } else if design.neckline == .halter {
            outline.curve(Point(24, 160), Point(40, 192), top)
        } else {
            let tip = Point(cut.shoulder - 9, shoulderHeight(cut.shoulder) + 3)
            outline.line(tip)
            outline.curve(Point(tip.x - 6, 168), Point(top.x - 13, 192), top)
        }
        cut.profile.appendDown(to: &outline)
        outline.append(hemOutline(wave: hemWave))
        cut.profile.appendUpLeft(to: &outline)
        if isBare {
            outline.curve(top.mirrored + Point(2, -10), neckline.start + Point(-3, 8), neckline.start)
        } else if design.neckline == .halter {
            outline.curve(Point(-40, 192), Point(-24, 160), neckline.start)
        } else {
            let tip = Point(cut.shoulder - 9, shoulderHeight(cut.shoulder) + 3).mirrored
            outline.curve(Point(-(top.x - 13), 192), Point(tip.x + 6, 168), tip)
        }
        outline.close()
        return outline
    }

    /// From the right end of the hem to the left one.
    func hemOutline(wave: Double) -> Outline {
        Hem(y: cut.profile.bottom, half: cut.profile.half(cut.profile.bottom), flutes: cut.flutes, wave: wave, bow: cut.bow)
            .outline
    }

    /// A skirt, from its waistband down.
    func skirtOutline(hemWave: Double) -> Outline {
        let half = cut.profile.half(cut.top)
        var outline = Outline()
        outline.move(Point(-half, cut.top))
        outline.curve(Point(-half * 0.4, cut.top + 5), Point(half * 0.4, cut.top + 5), Point(half, cut.top))
        cut.profile.appendDown(to: &outline)
        outline.append(hemOutline(wave: hemWave))
        cut.profile.appendUpLeft(to: &outline)
        outline.close()
        return outline
    }
}

extension Outline {
    var start: Point {
        if case .move(let point)? = steps.first { point } else { last }
    }
}

/// The lower edge of a skirt or flounce, which falls in waves.
struct Hem {
    let y: Double
    let half: Double
    let flutes: Int
    let wave: Double
    let bow: Double

    /// The height of the hem at a distance from the middle.
    func height(_ x: Double) -> Double {
        let share = x / max(half, 1)
        return y + bow * (1 - share * share)
    }

    /// Where the folds between the waves are, from left to right, ends included.
    var creases: [Double] {
        (0...max(flutes, 1)).map { index in
            let share = Double(index) / Double(max(flutes, 1)) * 2 - 1
            // Closer together at the sides, where the cloth turns away.
            return half * (share * 1.25 - share * share * share * 0.25)
        }
    }

    /// From right to left, going on from the right end.
    var outline: Outline {
        var outline = Outline()
        let xs = creases.reversed().map { $0 }
        // The path goes on: a move would begin a new shape.
        for index in 0..<(xs.count - 1) {
            let (from, to) = (xs[index], xs[index + 1])
            let depth = flutes > 1 ? (index % 2 == 0 ? wave : -wave * 0.55) : 0
            outline.curve(
                Point(from + (to - from) * 0.3, height(from + (to - from) * 0.3) + depth),
                Point(from + (to - from) * 0.7, height(from + (to - from) * 0.7) + depth), Point(to, height(to)))
        }
        return outline
    }
}
