import Foundation

/// A place in a drawing. Bodies are drawn in units of a figure 800 tall whose middle is x = 0 and whose crown is y = 0.
struct Point: Sendable, Hashable {
    var x: Double
    var y: Double

    init(_ x: Double, _ y: Double) {
        self.x = x
        self.y = y
    }

    static func + (one: Point, other: Point) -> Point { Point(one.x + other.x, one.y + other.y) }
    static func - (one: Point, other: Point) -> Point { Point(one.x - other.x, one.y - other.y) }
    static func * (one: Point, factor: Double) -> Point { Point(one.x * factor, one.y * factor) }

    func toward(_ other: Point, _ share: Double) -> Point { self + (other - self) * share }
    var length: Double { (x * x + y * y).squareRoot() }
    var mirrored: Point { Point(-x, y) }
    /// The direction a quarter turn to the left, of length 1.
    var normal: Point { length == 0 ? Point(0, 0) : Point(-y / length, x / length) }
}

/// Lines and Bézier curves as a value, so that a shape can be bent with the body before it is drawn.
struct Outline: Sendable {
    enum Step: Sendable {
        case move(Point)
        case line(Point)
        case curve(Point, Point, Point)
        case close
    }

    private(set) var steps: [Step] = []
    private(set) var last = Point(0, 0)

    init() {}

    init(_ points: [Point], closed: Bool = true) {
        for point in points { steps.isEmpty ? move(point) : line(point) }
        if closed { close() }
    }

    mutating func move(_ point: Point) {
        steps.append(.move(point))
        last = point
    }

    mutating func line(_ point: Point) {
        steps.append(.line(point))
        last = point
    }

    mutating func curve(_ one: Point, _ two: Point, _ end: Point) {
        steps.append(.curve(one, two, end))
        last = end
    }

    mutating func close() { steps.append(.close) }

    mutating func append(_ other: Outline) {
        steps += other.steps
        last = other.last
    }

    /// A smooth curve (Catmull-Rom) from where the outline stands through points.
    mutating func through(_ points: [Point]) {
        let all = [last] + points
        for index in 0..<(all.count - 1) {
            let before = all[max(0, index - 1)]
            let (from, to) = (all[index], all[index + 1])
            let after = all[min(all.count - 1, index + 2)]
            curve(from + (to - before) * (1 / 6), to - (after - from) * (1 / 6), to)
        }
    }

    func mapped(_ change: (Point) -> Point) -> Outline {
        var result = Outline()
        result.steps = steps.map { step in
            switch step {
            case .move(let point): .move(change(point))
            case .line(let point): .line(change(point))
            case .curve(let one, let two, let end): .curve(change(one), change(two), change(end))
            case .close: .close
            }
        }
        result.last = change(last)
        return result
    }

    var mirrored: Outline { mapped(\.mirrored) }

    func shifted(_ x: Double, _ y: Double) -> Outline { mapped { $0 + Point(x, y) } }

    /// A closed smooth shape through points.
    static func blob(_ points: [Point]) -> Outline {
        var result = Outline()
        let count = points.count
        result.move(points[0])
        for index in 0..<count {
            let before = points[(index + count - 1) % count]
            let (from, to) = (points[index], points[(index + 1) % count])
            let after = points[(index + 2) % count]
            result.curve(from + (to - before) * (1 / 6), to - (after - from) * (1 / 6), to)
        }
        result.close()
        return result
    }

    static func ellipse(_ center: Point, _ width: Double, _ height: Double, turned angle: Double = 0) -> Outline {
        let reach = 0.5523
        var result = Outline()
        result.move(Point(1, 0))
        result.curve(Point(1, reach), Point(reach, 1), Point(0, 1))
        result.curve(Point(-reach, 1), Point(-1, reach), Point(-1, 0))
        result.curve(Point(-1, -reach), Point(-reach, -1), Point(0, -1))
        result.curve(Point(reach, -1), Point(1, -reach), Point(1, 0))
        result.close()
        let (sine, cosine) = (sin(angle), cos(angle))
        return result.mapped { point in
            let (x, y) = (point.x * width, point.y * height)
            return Point(center.x + x * cosine - y * sine, center.y + x * sine + y * cosine)
        }
    }

    static func rectangle(_ left: Double, _ top: Double, _ width: Double, _ height: Double) -> Outline {
        Outline([Point(left, top), Point(left + width, top), Point(left + width, top + height), Point(left, top + height)])
    }

    /// A band along a line of points, as wide to each side as `half` says for a share 0 ... 1 of the way.
    static func band(_ spine: [Point], half: (Double) -> Double) -> Outline {
        var left: [Point] = []
        var right: [Point] = []
        for (index, point) in spine.enumerated() {
            let direction = spine[min(spine.count - 1, index + 1)] - spine[max(0, index - 1)]
            let offset = direction.normal * half(Double(index) / Double(spine.count - 1))
            left.append(point + offset)
            right.append(point - offset)
        }
        var result = Outline()
        result.move(left[0])
        result.through(Array(left.dropFirst()))
        result.line(right[right.count - 1])
        result.through(right.dropLast().reversed())
        result.close()
        return result
    }
}

/// A width that changes with height, smoothly and without overshooting (monotone cubic, Fritsch and Carlson 1980).
struct Profile: Sendable {
    private let heights: [Double]
    private let widths: [Double]
    private let slopes: [Double]

    /// - Parameter knots: at least two, from top to bottom.
    init(_ knots: [(y: Double, half: Double)]) {
        heights = knots.map(\.y)
        widths = knots.map(\.half)
        let secants = (0..<(knots.count - 1)).map { (knots[$0 + 1].half - knots[$0].half) / (knots[$0 + 1].y - knots[$0].y) }
        var slopes = [secants[0]]
        for index in 1..<max(1, secants.count) {
            let (before, after) = (secants[index - 1], secants[index])
            slopes.append(before * after <= 0 ? 0 : 2 * before * after / (before + after))
        }
        slopes.append(secants[secants.count - 1])
        self.slopes = slopes
    }

    var top: Double { heights[0] }
    var bottom: Double { heights[heights.count - 1] }

    /// Half the width at a height; beyond the ends, that of the end.
    func half(_ y: Double) -> Double {
        if y <= top { return widths[0] }
        if y >= bottom { return widths[widths.count - 1] }
        let index = (heights.firstIndex { $0 > y } ?? 1) - 1
        let span = heights[index + 1] - heights[index]
        let t = (y - heights[index]) / span
        let (t2, t3) = (t * t, t * t * t)
        return (2 * t3 - 3 * t2 + 1) * widths[index] + (t3 - 2 * t2 + t) * span * slopes[index]
            + (-2 * t3 + 3 * t2) * widths[index + 1] + (t3 - t2) * span * slopes[index + 1]
    }

    /// The curve of the right edge downwards, from the first knot, where the outline has to stand.
    func appendDown(to outline: inout Outline) {
        for index in 0..<(heights.count - 1) {
            let third = (heights[index + 1] - heights[index]) / 3
            outline.curve(
                Point(widths[index] + slopes[index] * third, heights[index] + third),
                Point(widths[index + 1] - slopes[index + 1] * third, heights[index + 1] - third),
                Point(widths[index + 1], heights[index + 1]))
        }
    }

    /// The left edge upwards, from the last knot.
    func appendUpLeft(to outline: inout Outline) {
        for index in (0..<(heights.count - 1)).reversed() {
            let third = (heights[index + 1] - heights[index]) / 3
            outline.curve(
                Point(-(widths[index + 1] - slopes[index + 1] * third), heights[index + 1] - third),
                Point(-(widths[index] + slopes[index] * third), heights[index] + third),
                Point(-widths[index], heights[index]))
        }
    }
}
