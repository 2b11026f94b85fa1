/// One picture of a garment, before it is drawn: what the manifest says about it.
public struct Shot: Sendable, Hashable {
    public let garment: Garment
    /// Among the garment's colours, from 0.
    public let colorIndex: Int
    /// Among the pictures of this garment in this colour, from 0.
    public let viewIndex: Int
    public let presentation: Presentation
    /// `train`, `val`, `query` or `gallery`, as in DeepFashion's In-shop splits.
    public let split: String

    public var color: Swatch { garment.colors[colorIndex] }
    public var view: View { View.allCases[viewIndex % View.allCases.count] }

    /// Where the picture lies in the folder of a catalogue.
    public var path: String { "images/\(garment.id)-\(color.rawValue)-\(viewIndex + 1)-\(view.rawValue).jpg" }

    public var caption: String { Captions.caption(garment.design, color: color, view: view) }

    /// All pictures of a wardrobe, in the manifest's order.
    /// - Parameter views: pictures per garment and colour, at least 2.
    static func all(of wardrobe: Wardrobe, views: Int) -> [Shot] {
        wardrobe.garments.flatMap { garment in
            garment.colors.indices.flatMap { color in
                let splits = splits(garment, color, views: views, seed: wardrobe.seed)
                return (0..<views).map { view in
                    Shot(
                        garment: garment, colorIndex: color, viewIndex: view,
                        presentation: presentation(garment, color, view, seed: wardrobe.seed), split: splits[view])
                }
            }
        }
    }

    /// The shop shows the front and about half of the other pictures; the rest ask.
    private static func splits(_ garment: Garment, _ color: Int, views: Int, seed: UInt64) -> [String] {
        guard garment.split == .test else { return Array(repeating: garment.split.rawValue, count: views) }
        var dice = Dice(seed: seed, 4, garment.index, color)
        let others = views - 1
        let shown = min(others - 1, others / 2 + (others % 2 == 1 && dice.chance(0.5) ? 1 : 0))
        var splits = Array(repeating: "query", count: views)
        splits[0] = "gallery"
        for view in dice.shuffled(Array(1..<views)).prefix(shown) { splits[view] = "gallery" }
        return splits
    }

    private static func presentation(_ garment: Garment, _ color: Int, _ view: Int, seed: UInt64) -> Presentation {
        var dice = Dice(seed: seed, 5, garment.index, color, view)
        if garment.design.kind == .shoes { return .flat }
        if garment.design.kind == .bag { return garment.design.silhouette != .clutch && dice.chance(0.25) ? .hanger : .flat }
        // A side of clothes can be seen on a body only.
        let isSide = View.allCases[view % View.allCases.count] == .side
        return dice.pick([
            (.worn, isSide ? 0.8 : 0.5), (.mannequin, isSide ? 0.2 : 0.08), (.hanger, isSide ? 0 : 0.16),
            (.flat, isSide ? 0 : 0.26),
        ])
    }

    /// The row of `manifest.jsonl`, keys always in the same order.
    var manifestLine: String {
        let design = garment.design
        let texts = [
            ("image", path), ("product_id", garment.id), ("title", Captions.title(design)), ("caption", caption),
            ("category", category), ("color", color.rawValue), ("brand", garment.brand),
        ]
        let attributes = [
            ("currency", "EUR"), ("view", view.rawValue), ("split", split), ("kind", design.kind.rawValue),
            ("silhouette", design.silhouette.rawValue), ("neckline", design.neckline.rawValue),
            ("sleeve", design.sleeve.rawValue),
            ("length", design.length.rawValue), ("pattern", design.pattern.rawValue),
        ]
        let details = design.details.map { Self.quoted($0.rawValue) }.joined(separator: ", ")
        let (euros, cents) = garment.cents.quotientAndRemainder(dividingBy: 100)
        var parts = texts.map { "\"\($0.0)\": \(Self.quoted($0.1))" }
        parts.append("\"price\": \(euros).\(cents < 10 ? "0" : "")\(cents)")
        parts.append("\"in_stock\": \(garment.inStock)")
        parts += attributes.map { "\"\($0.0)\": \(Self.quoted($0.1))" }
        parts.append("\"details\": [\(details)]")
        parts.append("\"presentation\": \(Self.quoted(presentation.rawValue))")
        return "{" + parts.joined(separator: ", ") + "}"
    }

    private var category: String {
        let owner =
            switch garment.design.wearer {
            case .women: "Women"
            case .men: "Men"
            case .kids: "Kids"
            }
        let leaf =
            switch garment.design.kind {
            case .dress: "Dresses"
            case .top: "Tops"
            case .skirt: "Skirts"
            case .trousers: "Trousers"
            case .shorts: "Shorts"
            case .coat: "Coats"
            case .shoes: "Shoes"
            case .bag: "Bags"
            }
        return "\(owner)/\(leaf)"
    }

    /// None of our texts holds a control character.
    private static func quoted(_ text: String) -> String {
        "\"" + text.reduce(into: "") { $0 += $1 == "\"" || $1 == "\\" ? "\\\($1)" : String($1) } + "\""
    }
}
