/// A point, from the top left, in pixels of a page at its plain size.
struct Point: Equatable {
    var x: Double
    var y: Double

    init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
}

struct Rectangle: Equatable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double

    init(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }
}

/// What a colour is for; the page has it light and dark, a picture light.
enum Ink: Equatable {
    case text
    case muted
    /// Thin lines behind what matters.
    case line
    /// What a bar fills when it is full.
    case track
    case surface
    case hit
    case miss
    /// By the number of a model or a curve.
    case series(Int)

    /// As many colours as tell curves apart; more begin anew, with other dashes. All have a contrast of at least 3 to the ground, light and
    /// dark.
    static let seriesCount = 6

    /// Curves of equal colour, and those seen without colours, differ in these.
    static func dash(ofSeries number: Int) -> [Double] { [[], [6, 3], [2, 3], [8, 3, 2, 3]][number % 4] }

    /// Red, green and blue, 0…255, on a light ground.
    var light: (Int, Int, Int) {
        switch self {
        case .text: (0x1B, 0x1F, 0x24)
        case .muted: (0x56, 0x60, 0x6D)
        case .line: (0xD9, 0xDE, 0xE5)
        case .track: (0xE9, 0xEC, 0xF1)
        case .surface: (0xFF, 0xFF, 0xFF)
        case .hit: (0x1A, 0x7F, 0x37)
        case .miss: (0xB4, 0x23, 0x18)
        case .series(let number):
            [
                (0x1F, 0x5F, 0xBF), (0xB8, 0x52, 0x0A), (0x1B, 0x7F, 0x5C), (0x84, 0x3F, 0xA8), (0xA8, 0x2A, 0x55),
                (0x5B, 0x65, 0x73),
            ][number % Self.seriesCount]
        }
    }

    /// The same on a dark ground.
    var dark: (Int, Int, Int) {
        switch self {
        case .text: (0xE8, 0xEC, 0xF1)
        case .muted: (0x9E, 0xA9, 0xB7)
        case .line: (0x2F, 0x38, 0x43)
        case .track: (0x27, 0x2F, 0x39)
        case .surface: (0x17, 0x1C, 0x23)
        case .hit: (0x56, 0xC8, 0x73)
        case .miss: (0xFF, 0x8F, 0x80)
        case .series(let number):
            [
                (0x7A, 0xB0, 0xFF), (0xF0, 0x9A, 0x52), (0x5F, 0xCB, 0xA3), (0xCB, 0x93, 0xEA), (0xF0, 0x84, 0xAA),
                (0xAE, 0xB8, 0xC5),
            ][number % Self.seriesCount]
        }
    }

    /// Its name among the page's custom properties.
    var property: String {
        switch self {
        case .text: "text"
        case .muted: "muted"
        case .line: "line"
        case .track: "track"
        case .surface: "surface"
        case .hit: "hit"
        case .miss: "miss"
        case .series(let number): "series-\(number % Self.seriesCount)"
        }
    }

    static let all: [Ink] =
        [.text, .muted, .line, .track, .surface, .hit, .miss] + (0..<seriesCount).map { .series($0) }
}

/// What a text is aligned by.
enum Anchor { case start, middle, end }

/// Draws lines, boxes and texts: into the page as SVG, into a picture by cairo.
protocol Pen: AnyObject {
    func line(_ points: [Point], _ ink: Ink, width: Double, dash: [Double])
    func fill(_ box: Rectangle, _ ink: Ink, radius: Double)
    /// - Parameter at: the left end, the middle or the right end of the line that the text stands on.
    func text(_ text: String, at: Point, size: Double, _ ink: Ink, _ anchor: Anchor, bold: Bool)
}

extension Pen {
    func line(_ points: [Point], _ ink: Ink, width: Double = 1) { line(points, ink, width: width, dash: []) }
}

/// About how wide texts are: pens of SVG can't measure, and a figure is laid out alike in the page and as a picture.
enum TextWidth {
    /// Wide letters of other scripts count as such.
    static func estimate(_ text: String, size: Double) -> Double {
        text.unicodeScalars.reduce(0) { $0 + ($1.value >= 0x2E80 ? 1.0 : 0.56) } * size
    }
}
