extension Cut {
    static func top(_ design: Design, _ fit: Fit) -> Cut {
        let hem = hem(design.length, fit)
        let wide = 1 + 0.1 * fit.flare
        switch design.silhouette {
        case .blouse:
            var cut = Cut(profile: Profile([(205, 70), (300, 72 * wide), (hem - 18, 84 * wide), (hem, 72)]))
            cut.fold(flutes: 5, wave: 2, top: 240, strength: 0.55)
            return cut
        case .peplum:
            var cut = Cut(profile: Profile([(205, 64), (296, 52), (306, 54)]))
            cut.flounces = [Flounce(top: 297, bottom: hem, topHalf: 53, bottomHalf: 112 * wide, flutes: 8)]
            cut.hasSeam = true
            return cut
        case .tunic:
            var cut = Cut(profile: Profile([(205, 70), (300, 76 * wide), (hem, 104 * wide)]))
            cut.fold(flutes: 4, wave: 4, top: 260, strength: 0.5)
            return cut
        case .shirt:
            var cut = Cut(profile: Profile([(205, 72), (300, 68 * wide), (hem, 82 * wide)]))
            cut.shoulder = 82
            cut.bow = 24
            return cut
        case .camisole:
            var cut = Cut(profile: Profile([(200, 61), (296, 60 * wide), (hem, 78 * wide)]))
            cut.fold(flutes: 3, wave: 3, top: 260, strength: 0.4)
            return cut
        case .sweater, .hoodie:
            var cut = Cut(profile: Profile([(205, 80), (300, 84 * wide), (hem - 26, 88 * wide), (hem - 20, 80), (hem, 78)]))
            cut.shoulder = 88
            cut.hasRib = true
            return cut
        case .crop:
            var cut = Cut(profile: Profile([(205, 67), (270, 60 * wide), (302, 60 * wide)]))
            cut.waist = 250
            return cut
        default:
            var cut = Cut(profile: Profile([(205, 72), (300, 68 * wide), (hem, 80 * wide)]))
            cut.shoulder = 83
            return cut
        }
    }

    static func skirt(_ design: Design, _ fit: Fit) -> Cut {
        let hem = hem(design.length, fit)
        let reach = (hem - 296) / 450
        let wide = 1 + 0.14 * fit.flare
        var cut: Cut
        switch design.silhouette {
        case .pencil:
            cut = Cut(profile: Profile([(292, 52), (385, 76), (460, 74), (hem, 66)]))
        case .circle:
            let half = (120 + 95 * reach) * wide
            cut = Cut(profile: Profile([(292, 52), (350, 52 + half * 0.36), (hem, half)]))
            cut.fold(flutes: 10, wave: 11, top: 300, strength: 0.95)
            cut.bow = 22
        case .pleated:
            cut = Cut(profile: Profile([(292, 52), (385, 84 * wide), (hem, (88 + 52 * reach) * wide)]))
            cut.fold(flutes: 13, wave: 3, top: 304, strength: 1)
            cut.isPleated = true
        case .tieredSkirt:
            cut = Cut(profile: Profile([(292, 52), (312, 58)]))
            let tiers = design.length == .mini ? 2 : design.length == .maxi ? 4 : 3
            cut.tier(from: 306, to: hem, count: tiers, half: 60, gain: 30 * wide)
        case .wrapSkirt:
            cut = Cut(profile: Profile([(292, 52), (385, 78), (hem, (78 + 34 * reach) * wide)]))
            cut.fold(flutes: 4, wave: 4, top: 330, strength: 0.4)
        default:
            cut = Cut(profile: Profile([(292, 52), (385, 86), (hem, (90 + 70 * reach) * wide)]))
            cut.fold(flutes: 5, wave: 5, top: 320, strength: 0.55)
            cut.bow = 15
        }
        cut.waist = 380
        return cut
    }

    static func coat(_ design: Design, _ fit: Fit) -> Cut {
        let hem = hem(design.length, fit)
        let wide = 1 + 0.08 * fit.flare
        var cut: Cut
        switch design.silhouette {
        case .trench:
            cut = Cut(profile: Profile([(208, 78), (300, 68), (400, 98 * wide), (hem, 118 * wide)]))
            cut.fold(flutes: 4, wave: 3, top: 310, strength: 0.5)
            cut.shoulder = 88
        case .cocoon:
            cut = Cut(profile: Profile([(215, 92), (330, 116 * wide), (430, 118 * wide), (hem, 84)]))
            cut.shoulder = 94
        case .duffle:
            cut = Cut(profile: Profile([(208, 86), (300, 88), (hem, 104 * wide)]))
            cut.shoulder = 91
        case .parka:
            cut = Cut(profile: Profile([(208, 86), (300, 84), (hem, 96 * wide)]))
            cut.shoulder = 90
        case .denimJacket:
            cut = Cut(profile: Profile([(208, 82), (300, 78 * wide), (hem - 58, 80 * wide), (hem - 50, 74), (hem - 28, 73)]))
            cut.shoulder = 88
        case .bomber:
            cut = Cut(profile: Profile([(208, 88), (300, 96 * wide), (hem - 34, 96 * wide), (hem - 26, 82), (hem, 80)]))
            cut.shoulder = 92
            cut.hasRib = true
        default:
            // Blazer.
            cut = Cut(profile: Profile([(208, 77), (300, 66), (hem + 20, 90 * wide)]))
            cut.shoulder = 88
        }
        return cut
    }
}
