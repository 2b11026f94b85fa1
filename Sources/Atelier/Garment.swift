/// What a garment is, whatever its colour: two garments differ in at least one of these, and a picture shows it.
///
/// Raw values are what the manifest says.
public struct Design: Sendable, Hashable {
    public var silhouette: Silhouette
    public var neckline: Neckline
    public var sleeve: Sleeve
    public var length: Length
    public var pattern: Pattern
    /// In the order of the cases, without repetition.
    public var details: [Detail]

    public var kind: Kind { silhouette.kind }
}

public enum Kind: String, Sendable, Hashable, CaseIterable {
    case dress, top, skirt, trousers, coat
}

public enum Silhouette: String, Sendable, Hashable, CaseIterable {
    case aLine = "A-line", sheath, fitAndFlare = "fit-and-flare", empire, shirtDress = "shirt dress", wrap, slip, mermaid, tiered,
        shift
    case trapeze, bubble, dropWaist = "drop-waist", peplumDress = "peplum sheath"
    case tee, blouse, peplum, tunic, shirt, camisole, sweater, crop, hoodie
    case pencil, circle, pleated, tieredSkirt = "tiered ruffle", aLineSkirt = "flared", wrapSkirt = "wrapover"
    case slim, wide, straight, culottes, bootcut
    case trench, cocoon, duffle, blazer, bomber

    public var kind: Kind {
        switch self {
        case .aLine, .sheath, .fitAndFlare, .empire, .shirtDress, .wrap, .slip, .mermaid, .tiered, .shift, .trapeze, .bubble,
            .dropWaist, .peplumDress:
            .dress
        case .tee, .blouse, .peplum, .tunic, .shirt, .camisole, .sweater, .crop, .hoodie: .top
        case .pencil, .circle, .pleated, .tieredSkirt, .aLineSkirt, .wrapSkirt: .skirt
        case .slim, .wide, .straight, .culottes, .bootcut: .trousers
        case .trench, .cocoon, .duffle, .blazer, .bomber: .coat
        }
    }
}

public enum Neckline: String, Sendable, Hashable, CaseIterable {
    case crew, v, scoop, square, boat, sweetheart, halter, offShoulder = "off-shoulder", collar, turtleneck, keyhole, cowl
    case lapels, hood, stand
    /// Of skirts and trousers.
    case none
}

public enum Sleeve: String, Sendable, Hashable, CaseIterable {
    case none = "sleeveless", strap = "straps", cap, short, puff, flutter, elbow, threeQuarter = "three-quarter", long, bell,
        bishop
}

public enum Length: String, Sendable, Hashable, CaseIterable {
    case cropped, hip, mini, knee, midi, maxi, full
}

public enum Pattern: String, Sendable, Hashable, CaseIterable {
    case solid, stripes = "horizontal stripes", verticalStripes = "vertical stripes", diagonal = "diagonal stripes", dots, gingham
    case plaid, floral, chevron, geometric, abstract, colourBlock = "colour block", animal, leaves
}

public enum Detail: String, Sendable, Hashable, CaseIterable {
    case belt, buttons, pockets, ruffleHem = "ruffle hem", laceHem = "lace hem", bow, zip, piping, contrastCollar =
        "contrast collar"
    case slit, contrastCuffs = "contrast cuffs", sideStripe = "side stripe"
}

/// The measures of a garment that have no name in a shop: they belong to it in every colour and picture.
struct Fit: Sendable, Hashable {
    /// Each in -1 ... 1: fuller, higher in the waist, longer, fuller in the sleeve, deeper at the neck.
    var flare: Double
    var waist: Double
    var drop: Double
    var sleeve: Double
    var neck: Double
}

/// How a pattern is printed on a garment.
struct Print: Sendable, Hashable {
    /// What stands on the ground colour.
    enum Partner: Sendable, Hashable { case light, dark, tonal, accent(Int) }
    /// Where the pattern is.
    enum Placement: Sendable, Hashable { case all, upper, lower }

    /// 0 (small) ... 1 (large).
    var scale: Double
    /// Degrees.
    var angle: Double
    var partner: Partner
    var placement: Placement
    /// Chooses among the shapes of one pattern.
    var motif: Int
    /// The colour of belts, buttons and edges.
    var trim: Trim

    enum Trim: Sendable, Hashable, CaseIterable { case dark, light, tan, partner }
}

public enum Split: String, Sendable, Hashable, CaseIterable { case train, val, test }

/// One garment of a wardrobe, in its colours.
public struct Garment: Sendable, Hashable {
    /// Its place in the wardrobe, from 0.
    public let index: Int
    public var design: Design
    /// 1 to 4, each once.
    public var colors: [Swatch]
    public var brand: String
    /// Whole euros and 90 or 95 cents.
    public var cents: Int
    public var inStock: Bool
    public var split: Split
    var fit: Fit
    var print: Print

    public var id: String { "G" + String(repeating: "0", count: max(0, 5 - String(index + 1).count)) + String(index + 1) }
}
