/// A gathered strip of cloth: a tier, a peplum, a ruffle.
struct Flounce {
    var top: Double
    var bottom: Double
    var topHalf: Double
    var bottomHalf: Double
    var flutes: Int
    /// Whether it hangs over the body of the garment; else it comes out from under it.
    var over = false
}

/// The shape of a garment in units of the figure, from its design and fit: everything about its outline but sleeves and neckline.
struct Cut {
    /// Half the width from the top of the side seam down to the hem.
    var profile: Profile
    /// Half the width of the shoulders.
    var shoulder = 77.0
    /// Waves of the hem and the folds above them.
    var flutes = 0
    /// How deep the hem's waves are.
    var wave = 0.0
    /// Where the folds begin.
    var foldTop = 300.0
    /// 0 ... 1.
    var foldStrength = 0.0
    /// Where bodice and skirt meet: also where a half print or a colour block ends.
    var waist = 300.0
    /// Whether a seam shows there.
    var hasSeam = false
    var flounces: [Flounce] = []
    /// Sharp pressed pleats instead of soft folds.
    var isPleated = false
    /// How much longer the hem is in the middle of the back than at the sides, as bodies are seen from a little above.
    var bow = 10.0
    /// Stitched ribs or cuffs at hem and sleeves.
    var hasRib = false

    var hem: Double { max(profile.bottom, flounces.map(\.bottom).max() ?? 0) }
    var top: Double { profile.top }

    /// The whole width at a height, flounces included.
    func half(_ y: Double) -> Double {
        if y < 205 && top < 250 { return max(shoulder, profile.half(y)) }
        var half = y <= profile.bottom ? profile.half(y) : 0
        for flounce in flounces where y >= flounce.top && y <= flounce.bottom {
            let share = (y - flounce.top) / (flounce.bottom - flounce.top)
            half = max(half, flounce.topHalf + (flounce.bottomHalf - flounce.topHalf) * share)
        }
        return half
    }

    init(_ garment: Garment) {
        let design = garment.design
        switch design.kind {
        case .dress: self = Self.dress(design, garment.fit)
        case .top: self = Self.top(design, garment.fit)
        case .skirt: self = Self.skirt(design, garment.fit)
        case .coat: self = Self.coat(design, garment.fit)
        // Trousers are drawn as legs; this is their upper part. Shoes and bags have a shape of their own.
        case .trousers, .shorts, .shoes, .bag: self = Cut(profile: Profile([(296, 53), (330, 62), (385, 76), (430, 78)]))
        }
        if design.details.contains(.ruffleHem) {
            let bottom = hem
            let half = half(bottom - 1)
            flounces.insert(
                Flounce(top: bottom - 26, bottom: bottom + 34, topHalf: half - 1, bottomHalf: half * 1.12 + 6, flutes: 9), at: 0)
        }
    }

    init(profile: Profile) { self.profile = profile }

    /// Where a hem of this length ends.
    static func hem(_ length: Length, _ fit: Fit) -> Double {
        switch length {
        case .cropped: 305
        case .hip: 400 + 16 * fit.drop
        case .mini: 498 + 14 * fit.drop
        case .knee: 575 + 14 * fit.drop
        case .midi: 660 + 16 * fit.drop
        case .maxi, .full, .none: 752 + 8 * fit.drop
        }
    }
}
