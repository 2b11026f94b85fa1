/// The garments of a seed: no two of the same design, many of the same colours, some alike but for one thing.
///
/// Garment `i` is the same in a wardrobe of any size.
public struct Wardrobe: Sendable {
    public let seed: UInt64
    public let garments: [Garment]

    /// - Parameters:
    ///   - count: how many garments, at least 1.
    ///   - testOnly: whether all of them are test identities; they are the same garments otherwise.
    ///   - halves: whether half of them are for training and half for the test, as in DeepFashion's In-shop; else six of ten are for training, one
    ///     for validation and three for the test.
    public init(count: Int, seed: UInt64, testOnly: Bool = false, halves: Bool = false) {
        self.seed = seed
        var garments: [Garment] = []
        var designs: Set<Design> = []
        for index in 0..<count {
            var attempt = 0
            var garment: Garment
            repeat {
                garment = Self.garment(index, attempt: attempt, seed: seed, halves: halves, before: garments)
                attempt += 1
            } while !designs.insert(garment.design).inserted
            garments.append(garment)
        }
        if testOnly { for index in garments.indices { garments[index].split = .test } }
        self.garments = garments
    }

    private static func garment(_ index: Int, attempt: Int, seed: UInt64, halves: Bool, before: [Garment]) -> Garment {
        var dice = Dice(seed: seed, 1, index, attempt)
        let split = halves ? half(of: index, seed: seed) : split(of: index, seed: seed)
        // A near-twin: in a search by colour or shape alone it would be taken for the other. Of the same split, so that the two meet.
        if dice.chance(0.3), let model = before.suffix(16).filter({ $0.split == split }).last,
            let twin = twin(of: model, index: index, &dice)
        {
            return twin
        }
        let kind = dice.pick([(Kind.dress, 0.6), (.top, 0.15), (.skirt, 0.09), (.trousers, 0.07), (.coat, 0.09)])
        let silhouette = dice.pick(Silhouette.allCases.filter { $0.kind == kind })
        let rules = Rules(silhouette)
        let neckline = dice.pick(rules.necklines)
        let sleeve = dice.pick(rules.sleeves(with: neckline))
        let pattern = pattern(for: kind, &dice)
        let design = Design(
            silhouette: silhouette, neckline: neckline, sleeve: sleeve, length: dice.pick(rules.lengths), pattern: pattern,
            details: details(rules.details(with: neckline, sleeve, pattern), &dice))
        let colors = colors(&dice)
        return Garment(
            index: index, design: design, colors: colors,
            brand: dice.pick([
                "Lindqvist & Daughters", "Maison Orage", "Petrel", "Oberon Row", "Casa Tordo", "Nine Elms", "Halva",
            ]),
            cents: (price(kind) + dice.below(12) * 5) * 100 + dice.pick([-10, -5]), inStock: dice.chance(0.9), split: split,
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
        let rules = Rules(design.silhouette)
        let isUpper = design.kind != .skirt && design.kind != .trousers
        switch dice.below(5) {
        case 0 where rules.necklines.count > 1, 1 where rules.necklines.count > 1:
            design.neckline = dice.pick(rules.necklines)
            if !rules.sleeves(with: design.neckline).contains(where: { $0.0 == design.sleeve }) { return nil }
        case 2 where isUpper: design.sleeve = dice.pick(rules.sleeves(with: design.neckline))
        case 3: design.length = dice.pick(rules.lengths)
        default: design.pattern = pattern(for: design.kind, &dice)
        }
        let allowed = rules.details(with: design.neckline, design.sleeve, design.pattern)
        design.details = design.details.filter { allowed.contains($0) }
        guard design != model.design else { return nil }
        return Garment(
            index: index, design: design, colors: model.colors, brand: dice.pick([model.brand, "Petrel"]),
            cents: model.cents + dice.below(5) * 500, inStock: dice.chance(0.9), split: model.split, fit: model.fit,
            print: design.pattern == model.design.pattern ? model.print : print(for: design, &dice))
    }

    private static func pattern(for kind: Kind, _ dice: inout Dice) -> Pattern {
        let share = kind == .trousers || kind == .coat ? 0.45 : 0.2
        return dice.chance(share) ? .solid : dice.pick(Pattern.allCases.filter { $0 != .solid })
    }

    private static func details(_ allowed: [Detail], _ dice: inout Dice) -> [Detail] {
        let count = min(allowed.count, dice.pick([(0, 0.2), (1, 0.4), (2, 0.4)]))
        let chosen = dice.shuffled(allowed).prefix(count)
        return Detail.allCases.filter { chosen.contains($0) }
    }

    /// 1.6 on average.
    private static func colors(_ dice: inout Dice) -> [Swatch] {
        let count = dice.pick([(1, 0.57), (2, 0.29), (3, 0.11), (4, 0.03)])
        return Array(dice.shuffled(Swatch.allCases).prefix(count))
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

    private static func price(_ kind: Kind) -> Int {
        switch kind {
        case .dress: 60
        case .top: 30
        case .skirt: 40
        case .trousers: 50
        case .coat: 130
        }
    }
}

/// What goes with what: which necklines, sleeves, lengths and details a silhouette may have.
private struct Rules {
    let silhouette: Silhouette

    init(_ silhouette: Silhouette) { self.silhouette = silhouette }

    var necklines: [Neckline] {
        switch silhouette {
        case .shirtDress, .shirt: [.collar]
        case .wrap: [.v, .collar]
        case .slip, .camisole: [.v, .sweetheart, .square, .scoop]
        case .sweater: [.crew, .v, .turtleneck, .boat, .cowl]
        case .hoodie: [.hood]
        case .tee, .crop: [.crew, .v, .scoop, .boat, .square]
        case .tunic, .blouse: [.v, .keyhole, .square, .collar, .boat, .stand]
        case .peplum, .peplumDress: [.crew, .v, .square, .boat, .sweetheart, .scoop]
        case .pencil, .circle, .pleated, .tieredSkirt, .aLineSkirt, .wrapSkirt, .slim, .wide, .straight, .culottes, .bootcut:
            [.none]
        case .trench, .blazer: [.lapels]
        case .cocoon: [.lapels, .stand, .crew]
        case .duffle: [.hood, .stand]
        case .bomber: [.stand, .hood, .collar]
        case .aLine, .sheath, .fitAndFlare, .empire, .mermaid, .tiered, .shift, .trapeze, .bubble, .dropWaist:
            [.crew, .v, .scoop, .square, .boat, .sweetheart, .halter, .offShoulder, .collar, .turtleneck, .keyhole, .cowl]
        }
    }

    func sleeves(with neckline: Neckline) -> [(Sleeve, Double)] {
        switch silhouette.kind {
        case .skirt, .trousers: return [(.none, 1)]
        case .coat: return [(.long, 0.7), (.threeQuarter, 0.15), (.bell, 0.15)]
        case .dress, .top: break
        }
        switch silhouette {
        case .slip, .camisole: return [(.strap, 1)]
        case .sweater, .hoodie: return [(.long, 0.6), (.bishop, 0.25), (.threeQuarter, 0.15)]
        default: break
        }
        switch neckline {
        case .halter: return [(.none, 1)]
        case .offShoulder: return [(.short, 1), (.puff, 1), (.long, 1), (.flutter, 1)]
        case .turtleneck, .collar: return [(.none, 1), (.short, 1), (.puff, 1), (.threeQuarter, 1), (.long, 2), (.bishop, 1)]
        case .sweetheart, .square, .scoop:
            return [
                (.none, 1), (.strap, 1.5), (.cap, 1), (.short, 1), (.puff, 1.5), (.elbow, 1), (.long, 1), (.bell, 1),
                (.flutter, 1),
            ]
        default:
            return [
                (.none, 1.2), (.cap, 1), (.short, 1), (.puff, 1), (.flutter, 1), (.elbow, 1), (.threeQuarter, 1), (.long, 1),
                (.bell, 1),
                (.bishop, 1),
            ]
        }
    }

    var lengths: [Length] {
        switch silhouette {
        case .mermaid: [.maxi]
        case .bubble: [.mini, .knee]
        case .sheath, .peplumDress: [.mini, .knee, .midi]
        case .shift, .trapeze: [.mini, .knee]
        case .aLine, .fitAndFlare, .empire, .shirtDress, .wrap, .slip, .tiered, .dropWaist: [.mini, .knee, .midi, .maxi]
        case .crop: [.cropped]
        case .tunic: [.mini]
        case .tee, .blouse, .peplum, .shirt, .camisole, .sweater, .hoodie: [.hip]
        case .pencil, .aLineSkirt, .wrapSkirt: [.mini, .knee, .midi]
        case .circle, .pleated, .tieredSkirt: [.mini, .knee, .midi, .maxi]
        case .culottes: [.cropped]
        case .slim, .straight, .wide, .bootcut: [.full, .cropped]
        case .blazer, .bomber: [.hip]
        case .trench, .cocoon, .duffle: [.mini, .knee, .midi]
        }
    }

    func details(with neckline: Neckline, _ sleeve: Sleeve, _ pattern: Pattern) -> [Detail] {
        var allowed: [Detail]
        switch silhouette {
        case .shirtDress, .shirt: allowed = [.belt, .pockets, .contrastCollar, .contrastCuffs, .piping]
        case .wrap: allowed = [.ruffleHem, .laceHem, .bow, .contrastCuffs, .piping]
        case .sheath, .mermaid, .peplumDress: allowed = [.belt, .zip, .bow, .slit, .piping, .laceHem, .sideStripe]
        case .shift, .trapeze: allowed = [.buttons, .pockets, .bow, .piping, .laceHem, .ruffleHem, .zip, .contrastCuffs]
        case .slip: allowed = [.laceHem, .slit, .bow, .piping]
        case .bubble, .tiered, .dropWaist: allowed = [.belt, .buttons, .bow, .piping, .contrastCuffs]
        case .aLine, .fitAndFlare, .empire:
            allowed = [.belt, .buttons, .bow, .pockets, .ruffleHem, .laceHem, .piping, .zip, .contrastCuffs]
        case .tee, .crop, .sweater, .hoodie: allowed = [.pockets, .piping, .contrastCuffs, .sideStripe, .zip, .bow]
        case .blouse, .tunic, .peplum, .camisole: allowed = [.buttons, .bow, .laceHem, .piping, .contrastCuffs, .belt]
        case .pencil, .aLineSkirt: allowed = [.belt, .buttons, .zip, .slit, .pockets, .ruffleHem, .laceHem, .sideStripe]
        case .circle, .pleated, .tieredSkirt, .wrapSkirt: allowed = [.belt, .bow, .laceHem, .piping, .buttons]
        case .slim, .wide, .straight, .culottes, .bootcut: allowed = [.belt, .sideStripe, .pockets, .buttons, .contrastCuffs]
        case .trench: allowed = [.belt, .pockets, .contrastCollar, .contrastCuffs, .piping]
        case .cocoon, .duffle, .blazer, .bomber: allowed = [.pockets, .piping, .contrastCollar, .contrastCuffs, .belt]
        }
        let bare = [Sleeve.none, .strap, .cap, .flutter].contains(sleeve)
        if bare, silhouette.kind != .trousers { allowed.removeAll { $0 == .contrastCuffs } }
        // A placket has its own buttons, and leaves no room for anything else.
        if neckline == .collar || neckline == .cowl || neckline == .turtleneck {
            allowed.removeAll { [.buttons, .bow, .zip].contains($0) }
        }
        if neckline == .keyhole { allowed.removeAll { $0 == .buttons || $0 == .zip } }
        if neckline == .hood || neckline == .crew && silhouette.kind == .coat { allowed.removeAll { $0 == .contrastCollar } }
        return allowed
    }
}
