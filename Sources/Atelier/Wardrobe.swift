/// The garments of a seed: no two of the same design, many of the same colours, some alike but for one thing.
///
/// Garment `i` is the same in a wardrobe of any size.
public struct Wardrobe: Sendable {
    public let seed: UInt64
    public let garments: [Garment]

    /// - Parameters:
    ///   - count: how many garments, at least 1.
    ///   - testOnly: whether all of them are test identities; they are the same garments otherwise.
    ///   - inShop: whether they are as DeepFashion's In-shop has them: clothes of women and men, half of them for training and half for the test;
    ///     else all kinds, six of ten for training, one for validation and three for the test.
    public init(count: Int, seed: UInt64, testOnly: Bool = false, inShop: Bool = false) {
        self.seed = seed
        let deck = Deck(seed: seed) { !inShop || InShopLayout.knows($0.kind, $0.wearer) }
        var garments: [Garment] = []
        var designs: Set<Design> = []
        for index in 0..<count {
            let split = inShop ? Self.half(of: index, seed: seed) : Self.split(of: index, seed: seed)
            let card = deck.card(index)
            var attempt = 0
            var garment: Garment
            repeat {
                // Of some kinds there are only some hundred designs; of dresses there are millions.
                let card = attempt < 60 ? card : Deck.Card(kind: .dress, wearer: .women)
                garment = Self.garment(index, card, split, attempt: attempt, seed: seed, before: garments)
                attempt += 1
            } while !designs.insert(garment.design).inserted
            garments.append(garment)
        }
        if testOnly { for index in garments.indices { garments[index].split = .test } }
        self.garments = garments
    }

    private static func garment(
        _ index: Int, _ card: Deck.Card, _ split: Split, attempt: Int, seed: UInt64, before: [Garment]
    ) -> Garment {
        var dice = Dice(seed: seed, 1, index, attempt)
        // A near-twin: in a search by colour or shape alone it would be taken for the other. Of the same split, so that the two meet. The first
        // dozen has none: it shows what there is.
        if dice.chance(0.4), index >= 12,
            let model = before.suffix(60).last(where: {
                $0.split == split && $0.design.kind == card.kind && $0.design.wearer == card.wearer
            }), let twin = twin(of: model, index: index, &dice)
        {
            return twin
        }
        let kind = card.kind
        let silhouette = dice.pick(Silhouette.allCases.filter { $0.kind == kind && Rules.suits($0, card.wearer) })
        let rules = Rules(silhouette, card.wearer)
        let neckline = dice.pick(rules.necklines)
        let sleeve = dice.pick(rules.sleeves(with: neckline))
        let pattern = pattern(for: rules, &dice)
        let design = Design(
            wearer: card.wearer, silhouette: silhouette, neckline: neckline, sleeve: sleeve, length: dice.pick(rules.lengths),
            pattern: pattern, details: details(rules.details(with: neckline, sleeve, pattern), kind, &dice))
        return Garment(
            index: index, design: design, colors: colors(rules.swatches, &dice),
            brand: dice.pick([
                "Lindqvist & Daughters", "Maison Orage", "Petrel", "Oberon Row", "Casa Tordo", "Nine Elms", "Halva",
            ]),
            cents: (price(design) + dice.below(12) * 5) * 100 + dice.pick([-10, -5]), inStock: dice.chance(0.9), split: split,
            fit: Fit(
                flare: dice.between(-1, 1), waist: dice.between(-1, 1), drop: dice.between(-1, 1), sleeve: dice.between(-1, 1),
                neck: dice.between(-1, 1)),
            print: print(for: design, &dice))
    }

    /// Out of ten garments in a row, six are for training, one for validation, three for the test: every wardrobe of ten or more has all
    /// three, and no garment's place depends on the wardrobe's size.
    private static func split(of index: Int, seed: UInt64) -> Split {
        var dice = Dice(seed: seed, 2, index / 10)
        let places: [Split] = [.train, .train, .train, .train, .train, .train, .val, .test, .test, .test]
        return dice.shuffled(places)[index % 10]
    }

    /// Of two garments in a row one is for training and one for the test.
    private static func half(of index: Int, seed: UInt64) -> Split {
        var dice = Dice(seed: seed, 6, index / 2)
        return dice.shuffled([Split.train, .test])[index % 2]
    }

    /// The same garment in the same colours but for one of neckline, sleeve, pattern, length or details; `nil` if that leaves it as it was.
    private static func twin(of model: Garment, index: Int, _ dice: inout Dice) -> Garment? {
        var design = model.design
        let rules = Rules(design.silhouette, design.wearer)
        switch dice.below(5) {
        case 0 where rules.necklines.count > 1, 1 where rules.necklines.count > 1:
            design.neckline = dice.pick(rules.necklines)
            if !rules.sleeves(with: design.neckline).contains(where: { $0.0 == design.sleeve }) { return nil }
        case 2 where design.kind.isUpper: design.sleeve = dice.pick(rules.sleeves(with: design.neckline))
        case 3 where rules.lengths.count > 1: design.length = dice.pick(rules.lengths)
        case 1, 2, 3:
            let allowed = rules.details(with: design.neckline, design.sleeve, design.pattern)
            design.details = details(allowed, design.kind, &dice)
        default: design.pattern = pattern(for: rules, &dice)
        }
        let allowed = rules.details(with: design.neckline, design.sleeve, design.pattern)
        design.details = design.details.filter { allowed.contains($0) }
        guard design != model.design else { return nil }
        return Garment(
            index: index, design: design, colors: model.colors, brand: dice.pick([model.brand, "Petrel"]),
            cents: model.cents + dice.below(5) * 500, inStock: dice.chance(0.9), split: model.split, fit: model.fit,
            print: design.pattern == model.design.pattern ? model.print : print(for: design, &dice))
    }

    private static func pattern(for rules: Rules, _ dice: inout Dice) -> Pattern {
        dice.chance(rules.plainShare) ? .solid : dice.pick(rules.patterns)
    }

    private static func details(_ allowed: [Detail], _ kind: Kind, _ dice: inout Dice) -> [Detail] {
        // Of shoes and bags, details make the identity.
        let wanted = kind.isAccessory ? dice.pick([(1, 0.3), (2, 0.4), (3, 0.3)]) : dice.pick([(0, 0.2), (1, 0.4), (2, 0.4)])
        let chosen = dice.shuffled(allowed).prefix(min(allowed.count, wanted))
        return Detail.allCases.filter { chosen.contains($0) }
    }

    /// 1.6 on average.
    private static func colors(_ swatches: [Swatch], _ dice: inout Dice) -> [Swatch] {
        let count = dice.pick([(1, 0.57), (2, 0.29), (3, 0.11), (4, 0.03)])
        return Array(dice.shuffled(swatches).prefix(count))
    }

    private static func print(for design: Design, _ dice: inout Dice) -> Print {
        // Half-printed garments need a body and a skirt to differ.
        let halves: [(Print.Placement, Double)] = [(.all, 0.64), (.lower, 0.2), (.upper, 0.16)]
        return Print(
            scale: dice.unit(), angle: dice.between(-8, 8),
            partner: dice.pick([
                (Print.Partner.light, 0.34), (.dark, 0.22), (.tonal, 0.14), (.accent(dice.below(Swatch.allCases.count)), 0.3),
            ]),
            placement: design.kind == .dress ? dice.pick(halves) : .all, motif: dice.below(6),
            trim: dice.pick(Print.Trim.allCases))
    }

    private static func price(_ design: Design) -> Int {
        let price =
            switch design.kind {
            case .dress: 60
            case .top: 30
            case .skirt: 40
            case .trousers: 50
            case .shorts: 35
            case .coat: 130
            case .shoes: 80
            case .bag: 70
            }
        return design.wearer == .kids ? price / 2 : price
    }
}

/// Which kind of garment comes when, and for whom: the same shares in every hundred, spread so evenly that a dozen in a row shows most of them.
private struct Deck {
    struct Card {
        var kind: Kind
        var wearer: Wearer
    }

    /// How many of a hundred garments are of a kind, for women, men and children.
    private static let shares: [(Kind, [Int])] = [
        (.dress, [21, 0, 3]), (.top, [9, 9, 4]), (.skirt, [8, 0, 1]), (.trousers, [6, 5, 2]), (.shorts, [3, 3, 2]),
        (.coat, [6, 4, 1]), (.shoes, [4, 3, 1]), (.bag, [3, 1, 1]),
    ]

    private let seed: UInt64
    private let cards: [[Card]]
    private let count: Int

    /// - Parameter isWanted: which cards belong to it.
    init(seed: UInt64, _ isWanted: (Card) -> Bool) {
        self.seed = seed
        cards = Self.shares.map { kind, counts in
            zip(Wearer.allCases, counts).flatMap { wearer, count in
                Array(repeating: Card(kind: kind, wearer: wearer), count: count)
            }.filter(isWanted)
        }
        count = cards.reduce(0) { $0 + $1.count }
    }

    func card(_ index: Int) -> Card {
        var dice = Dice(seed: seed, 7, index / count)
        var places: [(Double, Card)] = []
        for kind in cards {
            // One card of a kind in each of as many equal stretches as it has cards.
            for (place, card) in dice.shuffled(kind).enumerated() {
                places.append(((Double(place) + dice.unit()) / Double(kind.count), card))
            }
        }
        return places.sorted { $0.0 < $1.0 }[index % count].1
    }
}
