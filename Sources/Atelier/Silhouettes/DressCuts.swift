extension Cut {
    static func dress(_ design: Design, _ fit: Fit) -> Cut {
        let hem = hem(design.length, fit)
        let waist = 296 + 7 * fit.waist
        /// How far below the waist the hem is, as a share of the longest: longer skirts are wider at the same flare.
        let reach = (hem - waist) / 450
        let wide = 1 + 0.16 * fit.flare
        switch design.silhouette {
        case .sheath, .peplumDress:
            var cut = Cut(profile: Profile([(205, 64), (waist, 53), (390, 75), (460, 74), (hem, 66 + 5 * fit.flare)]))
            cut.waist = waist
            cut.flutes = 0
            if design.silhouette == .peplumDress {
                cut.flounces = [
                    Flounce(top: waist, bottom: 392 + 8 * fit.drop, topHalf: 53, bottomHalf: 112 * wide, flutes: 8, over: true)
                ]
            }
            return cut
        case .fitAndFlare:
            let half = (115 + 90 * reach) * wide
            var cut = Cut(profile: Profile([(205, 63), (waist, 50), (waist + 90, 50 + half * 0.4), (hem, half)]))
            cut.fold(flutes: 9, wave: 9, top: waist, strength: 0.9)
            cut.waist = waist
            cut.hasSeam = true
            cut.bow = 20
            return cut
        case .empire:
            var cut = Cut(profile: Profile([(205, 64), (238, 60), (300, 68), (hem, (74 + 66 * reach) * wide)]))
            cut.fold(flutes: 6, wave: 6, top: 240, strength: 0.7)
            cut.waist = 240
            cut.hasSeam = true
            return cut
        case .shirtDress:
            var cut = Cut(profile: Profile([(205, 70), (waist, 60), (390, 82), (hem, (84 + 16 * reach) * wide)]))
            cut.fold(flutes: 5, wave: 3, top: waist + 4, strength: 0.45)
            cut.waist = waist
            cut.shoulder = 81
            return cut
        case .wrap:
            var cut = Cut(profile: Profile([(205, 65), (waist, 51), (385, 82 * wide), (hem, (80 + 56 * reach) * wide)]))
            cut.fold(flutes: 6, wave: 6, top: waist, strength: 0.65)
            cut.waist = waist
            cut.hasSeam = true
            return cut
        case .slip:
            var cut = Cut(profile: Profile([(200, 60), (waist, 57), (390, 72), (hem, (72 + 14 * reach) * wide)]))
            cut.fold(flutes: 4, wave: 3, top: 330, strength: 0.5)
            cut.waist = waist
            return cut
        case .mermaid:
            var cut = Cut(
                profile: Profile([
                    (205, 63), (waist, 50), (390, 73), (520, 60), (580, 58), (660, 86 * wide), (hem, 138 * wide),
                ]))
            cut.fold(flutes: 9, wave: 9, top: 575, strength: 0.9)
            cut.waist = waist
            cut.bow = 18
            return cut
        case .tiered:
            var cut = Cut(profile: Profile([(205, 64), (waist, 54), (waist + 14, 56)]))
            let tiers = design.length == .mini ? 2 : design.length == .maxi ? 4 : 3
            cut.tier(from: waist + 6, to: hem, count: tiers, half: 58, gain: 30 * wide)
            cut.waist = waist
            cut.hasSeam = true
            return cut
        case .shift:
            var cut = Cut(profile: Profile([(205, 67), (waist, 70), (390, 80), (hem, 84 * wide)]))
            cut.fold(flutes: 2, wave: 2, top: 360, strength: 0.3)
            cut.waist = 330
            return cut
        case .trapeze:
            var cut = Cut(profile: Profile([(205, 68), (waist, 96 * wide), (hem, (128 + 44 * reach) * wide)]))
            cut.fold(flutes: 6, wave: 7, top: 215, strength: 0.6)
            cut.waist = 330
            cut.bow = 16
            return cut
        case .bubble:
            let swell = 118 * wide
            var cut = Cut(
                profile: Profile([
                    (205, 63), (waist, 51), (waist + 60, swell * 0.84), (hem - 60, swell), (hem - 14, swell * 0.82),
                    (hem, swell * 0.62),
                ]))
            cut.fold(flutes: 7, wave: 2, top: waist, strength: 0.8)
            cut.waist = waist
            cut.hasSeam = true
            return cut
        case .dropWaist:
            var cut = Cut(profile: Profile([(205, 65), (waist, 64), (384, 76)]))
            cut.flounces = [
                Flounce(top: 378, bottom: hem, topHalf: 75, bottomHalf: (92 + 50 * reach) * wide, flutes: 11)
            ]
            cut.waist = 380
            cut.hasSeam = true
            cut.isPleated = true
            return cut
        default:
            // A-line.
            var cut = Cut(profile: Profile([(205, 65), (waist, 56), (400, 88 * wide), (hem, (86 + 74 * reach) * wide)]))
            cut.fold(flutes: 5, wave: 6, top: waist + 10, strength: 0.6)
            cut.waist = waist
            cut.bow = 15
            return cut
        }
    }

    mutating func fold(flutes: Int, wave: Double, top: Double, strength: Double) {
        self.flutes = flutes
        self.wave = wave
        foldTop = top
        foldStrength = strength
    }

    /// Tiers from top to bottom, each gathered to the one above: the lowest is drawn first.
    mutating func tier(from top: Double, to bottom: Double, count: Int, half: Double, gain: Double) {
        let height = (bottom - top) / Double(count)
        flounces = (0..<count).reversed().map { index in
            let place = Double(index)
            return Flounce(
                top: top + height * place - 4, bottom: top + height * (place + 1), topHalf: half + gain * 0.9 * place,
                bottomHalf: half + gain * (place + 0.8), flutes: 7 + 2 * index)
        }
    }
}
