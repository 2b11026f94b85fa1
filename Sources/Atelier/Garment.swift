/// What a garment is, whatever its colour: two garments differ in at least one of these, and a picture shows it.
///
/// Raw values are what the manifest says.
public struct Design: Sendable, Hashable {
    public var wearer = Wearer.women
    public var silhouette: Silhouette
    public var neckline: Neckline
    public var sleeve: Sleeve
    public var length: Length
    public var pattern: Pattern
    /// In the order of the cases, without repetition.
    public var details: [Detail]

    public var kind: Kind { silhouette.kind }
}

/// Whom a garment is made for: it changes its proportions, and which silhouettes there are.
public enum Wearer: String, Sendable, Hashable, CaseIterable {
    case women, men, kids
}

public enum Kind: String, Sendable, Hashable, CaseIterable {
    case dress, top, skirt, trousers, shorts, coat, shoes, bag

    /// Whether it has a neck and armholes.
    var isUpper: Bool { self == .dress || self == .top || self == .coat }
    var hasLegs: Bool { self == .trousers || self == .shorts }
    /// Whether it is no piece of clothing: it has no neckline, sleeve and length.
    var isAccessory: Bool { self == .shoes || self == .bag }
}

public enum Silhouette: String, Sendable, Hashable, CaseIterable {
    case aLine = "A-line", sheath, fitAndFlare = "fit-and-flare", empire, shirtDress = "shirt dress", wrap, slip, mermaid, tiered,
        shift
    case trapeze, bubble, dropWaist = "drop-waist", peplumDress = "peplum sheath"
    case tee, blouse, peplum, tunic, shirt, camisole, sweater, crop, hoodie, polo
    case pencil, circle, pleated, tieredSkirt = "tiered ruffle", aLineSkirt = "flared", wrapSkirt = "wrapover"
    case slim, wide, straight, culottes, bootcut, joggers
    case skinnyJeans = "skinny jeans", straightJeans = "straight jeans", flaredJeans = "flared jeans"
    case denimShorts = "denim shorts", chinoShorts = "chino shorts", sportShorts = "sport shorts", bermuda = "bermuda shorts"
    case trench, cocoon, duffle, blazer, bomber, parka, denimJacket = "denim jacket"
    case sneaker, ankleBoot = "ankle boot", pump, loafer, sandal, balletFlat = "ballet flat"
    case tote, crossbody, backpack, clutch, bucket

    public var kind: Kind {
        switch self {
        case .aLine, .sheath, .fitAndFlare, .empire, .shirtDress, .wrap, .slip, .mermaid, .tiered, .shift, .trapeze, .bubble,
            .dropWaist, .peplumDress:
            .dress
        case .tee, .blouse, .peplum, .tunic, .shirt, .camisole, .sweater, .crop, .hoodie, .polo: .top
        case .pencil, .circle, .pleated, .tieredSkirt, .aLineSkirt, .wrapSkirt: .skirt
        case .slim, .wide, .straight, .culottes, .bootcut, .joggers, .skinnyJeans, .straightJeans, .flaredJeans: .trousers
        case .denimShorts, .chinoShorts, .sportShorts, .bermuda: .shorts
        case .trench, .cocoon, .duffle, .blazer, .bomber, .parka, .denimJacket: .coat
        case .sneaker, .ankleBoot, .pump, .loafer, .sandal, .balletFlat: .shoes
        case .tote, .crossbody, .backpack, .clutch, .bucket: .bag
        }
    }

    /// Whether it is cut and sewn as jeans are: seams in a bright thread, cloth that fades.
    var isDenim: Bool {
        [.skinnyJeans, .straightJeans, .flaredJeans, .denimShorts, .denimJacket].contains(self)
    }
}

public enum Neckline: String, Sendable, Hashable, CaseIterable {
    case crew, v, scoop, square, boat, sweetheart, halter, offShoulder = "off-shoulder", collar, turtleneck, keyhole, cowl
    case lapels, hood, stand
    /// Of everything that has no neck.
    case none
}

public enum Sleeve: String, Sendable, Hashable, CaseIterable {
    case none = "sleeveless", strap = "straps", cap, short, puff, flutter, elbow, threeQuarter = "three-quarter", long, bell,
        bishop
}

public enum Length: String, Sendable, Hashable, CaseIterable {
    case cropped, hip, mini, knee, midi, maxi, full
    /// Of shoes and bags.
    case none
}

public enum Pattern: String, Sendable, Hashable, CaseIterable {
    case solid, stripes = "horizontal stripes", verticalStripes = "vertical stripes", diagonal = "diagonal stripes", dots, gingham
    case plaid, floral, chevron, geometric, abstract, colourBlock = "colour block", animal, leaves
    /// Of denim: faded at the thighs and along the seams.
    case washed
}

public enum Detail: String, Sendable, Hashable, CaseIterable {
    case belt, buttons, pockets, ruffleHem = "ruffle hem", laceHem = "lace hem", bow, zip, piping, contrastCollar =
        "contrast collar"
    case slit, contrastCuffs = "contrast cuffs", sideStripe = "side stripe"
    case chestPrint = "chest print", drawstring, turnUps = "turn-ups", rips = "ripped knees"
    case laces, ankleStrap = "ankle strap", buckle, tassel, contrastSole = "contrast sole", toeCap = "toe cap"
    case chainStrap = "chain strap", frontPocket = "front pocket", patch
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
