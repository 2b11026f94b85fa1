/// What a garment is called, and what a picture of it shows, in words.
enum Captions {
    /// For instance "Striped wrap dress with bell sleeves", or "Men's striped polo shirt".
    static func title(_ design: Design) -> String {
        let features = features(design).prefix(1)
        return capitalized(words(design) + (features.isEmpty ? "" : " with " + features.joined(separator: " and ")))
    }

    /// For instance "a photo of a navy striped wrap dress with bell sleeves and a v neck".
    static func caption(_ design: Design, color: Swatch, view: View) -> String {
        let owner: String? =
            switch design.wearer {
            case .women: nil
            case .men: "men's"
            case .kids: isPlural(design) ? "children's" : "child's"
            }
        let words = [owner, color.rawValue, adjective(design.pattern), lengthWord(design), noun(design)].compactMap(\.self)
        let text = words.joined(separator: " ")
        let features = features(design).prefix(3)
        let whole = text + (features.isEmpty ? "" : " with " + list(Array(features)))
        let article = isPlural(design) ? "" : (["a", "e", "i", "o", "u"].contains(text.prefix(1)) ? "an " : "a ")
        switch view {
        // Nobody calls a sneaker a shoe, but people search for shoes.
        case .main where design.kind == .shoes: return "a pair of shoes, \(whole)"
        case .main: return "a photo of \(article)\(whole)"
        case .back: return "the back of \(article)\(whole)"
        case .side: return "a side view of \(article)\(whole)"
        case .detail: return "a close-up of \(article)\(whole)"
        }
    }

    /// The garment in whatever colour, a sentence a line, as a shop describes it.
    static func description(_ design: Design, brand: String) -> [String] {
        let features = features(design)
        var lines = [capitalized(words(design)) + " by \(brand)."]
        if !features.isEmpty { lines.append("With " + list(features) + ".") }
        return lines
    }

    private static func words(_ design: Design) -> String {
        let owner: String? =
            switch design.wearer {
            case .women: nil
            case .men: "men's"
            case .kids: "children's"
            }
        return [owner, adjective(design.pattern), lengthWord(design), noun(design)].compactMap(\.self).joined(separator: " ")
    }

    private static func isPlural(_ design: Design) -> Bool { design.kind.hasLegs || design.kind == .shoes }

    private static func list(_ parts: [String]) -> String {
        parts.count < 2 ? parts.joined() : parts.dropLast().joined(separator: ", ") + " and " + parts[parts.count - 1]
    }

    private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    static func noun(_ design: Design) -> String {
        switch design.silhouette {
        case .peplumDress: "peplum dress"
        case .shirtDress: "shirt dress"
        case .tee: "t-shirt"
        case .crop: "crop top"
        case .peplum: "peplum top"
        case .blouse, .tunic, .shirt, .sweater, .hoodie, .blazer, .parka, .backpack: design.silhouette.rawValue
        case .polo: "polo shirt"
        case .camisole: "camisole top"
        case .culottes, .joggers, .skinnyJeans, .straightJeans, .flaredJeans, .denimShorts, .chinoShorts, .sportShorts, .bermuda,
            .denimJacket:
            design.silhouette.rawValue
        case .sneaker, .ankleBoot, .pump, .loafer, .sandal, .balletFlat: design.silhouette.rawValue + "s"
        case .trench, .duffle, .cocoon: design.silhouette.rawValue + " coat"
        case .bomber: "bomber jacket"
        default: design.silhouette.rawValue + " " + design.kind.rawValue
        }
    }

    private static func lengthWord(_ design: Design) -> String? {
        switch (design.kind, design.length) {
        case (.dress, .knee), (.skirt, .knee): "knee-length"
        case (.dress, let length), (.skirt, let length): length.rawValue
        case (.coat, .midi): "long"
        case (.coat, .mini): "short"
        case (.trousers, .cropped) where design.silhouette != .culottes: "cropped"
        default: nil
        }
    }

    static func adjective(_ pattern: Pattern) -> String? {
        switch pattern {
        case .solid: nil
        case .stripes: "striped"
        case .verticalStripes: "vertically striped"
        case .diagonal: "diagonally striped"
        case .dots: "dotted"
        case .gingham: "gingham"
        case .plaid: "plaid"
        case .floral: "floral"
        case .chevron: "chevron"
        case .geometric: "geometric"
        case .abstract: "abstract print"
        case .colourBlock: "colour-block"
        case .animal: "animal print"
        case .leaves: "leaf print"
        case .washed: "washed"
        }
    }

    private static func features(_ design: Design) -> [String] {
        [sleeve(design.sleeve), neckline(design)].compactMap(\.self) + design.details.map(detail)
    }

    private static func sleeve(_ sleeve: Sleeve) -> String? {
        switch sleeve {
        case .none: nil
        case .strap: "thin straps"
        default: sleeve.rawValue + " sleeves"
        }
    }

    private static func neckline(_ design: Design) -> String? {
        switch design.neckline {
        case .none: nil
        case .collar: "a shirt collar"
        case .turtleneck: "a turtleneck"
        case .lapels: "lapels"
        case .hood: "a hood"
        case .stand: "a stand collar"
        case .offShoulder: "an off-shoulder neck"
        default: "a \(design.neckline.rawValue) neck"
        }
    }

    private static func detail(_ detail: Detail) -> String {
        switch detail {
        case .belt, .bow, .zip, .slit, .ruffleHem, .laceHem, .sideStripe, .contrastCollar, .chestPrint, .drawstring, .buckle,
            .tassel, .contrastSole, .toeCap, .chainStrap, .frontPocket, .patch:
            "a " + detail.rawValue
        case .ankleStrap: "an ankle strap"
        case .buttons, .pockets, .piping, .contrastCuffs, .turnUps, .rips, .laces: detail.rawValue
        }
    }
}

/// How a picture looks at its garment; the raw values stand in the manifest.
public enum View: String, Sendable, Hashable, CaseIterable { case main, back, side, detail }
