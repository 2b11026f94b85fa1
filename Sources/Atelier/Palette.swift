/// A named colour of the house: a few colours are shared by all garments, so that colour alone names none.
public enum Swatch: String, Sendable, Hashable, CaseIterable {
    case black, white, grey, navy, blue, teal, green, olive, mustard, rust, red, burgundy, pink, lilac, beige, brown

    var ink: Ink {
        switch self {
        case .black: Ink(34, 33, 38)
        case .white: Ink(240, 238, 232)
        case .grey: Ink(142, 145, 150)
        case .navy: Ink(37, 50, 92)
        case .blue: Ink(86, 136, 196)
        case .teal: Ink(28, 118, 122)
        case .green: Ink(52, 122, 78)
        case .olive: Ink(112, 113, 66)
        case .mustard: Ink(215, 164, 52)
        case .rust: Ink(193, 92, 48)
        case .red: Ink(193, 38, 48)
        case .burgundy: Ink(112, 28, 52)
        case .pink: Ink(232, 150, 170)
        case .lilac: Ink(158, 132, 190)
        case .beige: Ink(214, 192, 160)
        case .brown: Ink(106, 72, 52)
        }
    }

    static let cream = Ink(246, 241, 228)
    static let ebony = Ink(30, 28, 34)
    static let tan = Ink(168, 112, 66)
}

/// A colour and its opacity, each part in 0 ... 1.
struct Ink: Sendable, Hashable {
    var red: Double
    var green: Double
    var blue: Double
    var alpha = 1.0

    init(red: Double, green: Double, blue: Double, alpha: Double = 1) {
        self.red = red
        self.green = green
        self.blue = blue
        self.alpha = alpha
    }

    /// From samples in 0 ... 255.
    init(_ red: Double, _ green: Double, _ blue: Double) {
        self.init(red: red / 255, green: green / 255, blue: blue / 255)
    }

    static let black = Ink(0, 0, 0)
    static let white = Ink(255, 255, 255)
    /// What shadows are made of: violet rather than black, which would look like dirt on a light cloth.
    static let shade = Ink(28, 16, 44)

    func opacity(_ alpha: Double) -> Ink { Ink(red: red, green: green, blue: blue, alpha: alpha) }

    func mixed(_ other: Ink, _ share: Double) -> Ink {
        Ink(
            red: red + (other.red - red) * share, green: green + (other.green - green) * share,
            blue: blue + (other.blue - blue) * share, alpha: alpha)
    }

    func darker(_ share: Double) -> Ink { mixed(.shade, share) }
    func lighter(_ share: Double) -> Ink { mixed(.white, share) }

    /// Luma in 0 ... 1.
    var luma: Double { 0.299 * red + 0.587 * green + 0.114 * blue }
}

/// What one garment in one of its colours is made of.
struct Cloth {
    let ground: Ink
    /// The colour of the pattern.
    let figure: Ink
    /// A third colour, of patterns that need one.
    let spark: Ink
    let trim: Ink

    init(_ swatch: Swatch, _ print: Print) {
        let ground = swatch.ink
        self.ground = ground
        let wanted: Ink =
            switch print.partner {
            case .light: Swatch.cream
            case .dark: Swatch.ebony
            case .tonal: ground.luma > 0.45 ? ground.darker(0.5) : ground.lighter(0.5)
            case .accent(let number): Swatch.allCases[number % Swatch.allCases.count].ink
            }
        // A pattern that can hardly be told from its ground is none.
        let figure = Self.distance(wanted, ground) > 0.28 ? wanted : (ground.luma > 0.5 ? Swatch.ebony : Swatch.cream)
        self.figure = figure
        spark = ground.luma > 0.5 ? figure.mixed(Swatch.rust.ink, 0.55) : figure.mixed(Swatch.mustard.ink, 0.6)
        let trim: Ink =
            switch print.trim {
            case .dark: Swatch.ebony
            case .light: Swatch.cream
            case .tan: Swatch.tan
            case .partner: figure
            }
        self.trim = Self.distance(trim, ground) > 0.25 ? trim : (ground.luma > 0.5 ? Swatch.ebony : Swatch.cream)
    }

    private static func distance(_ one: Ink, _ other: Ink) -> Double {
        let (red, green, blue) = (one.red - other.red, one.green - other.green, one.blue - other.blue)
        return (red * red * 0.9 + green * green * 1.4 + blue * blue * 0.7).squareRoot()
    }
}
