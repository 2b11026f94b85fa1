import Testing

@testable import Atelier

@Suite("A wardrobe")
struct WardrobeTests {
    private let wardrobe = Wardrobe(count: 400, seed: 3)

    @Test("the same seed gives the same garments, another seed others")
    func seeds() {
        #expect(Wardrobe(count: 50, seed: 3).garments == Wardrobe(count: 50, seed: 3).garments)
        #expect(Wardrobe(count: 50, seed: 3).garments.map(\.design) != Wardrobe(count: 50, seed: 4).garments.map(\.design))
    }

    @Test("a generator's first numbers are those of SplitMix64, so that seeds mean the same everywhere")
    func dice() {
        // The first outputs for seed 1234567, from the reference code (Vigna, splitmix64.c).
        var dice = Dice(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in dice.next() } == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }

    @Test("a garment is the same in a wardrobe of any size")
    func size() {
        #expect(Array(wardrobe.garments.prefix(37)) == Wardrobe(count: 37, seed: 3).garments)
    }

    @Test("no two garments are of the same design")
    func designs() {
        #expect(Set(Wardrobe(count: 3000, seed: 3).garments.map(\.design)).count == 3000)
    }

    @Test("a garment comes in 1 to 4 different colours, 1.4 to 1.8 on average")
    func colors() {
        for garment in wardrobe.garments {
            #expect((1...4).contains(garment.colors.count))
            #expect(Set(garment.colors).count == garment.colors.count)
        }
        let mean = Double(wardrobe.garments.reduce(0) { $0 + $1.colors.count }) / 400
        #expect((1.4...1.8).contains(mean), "\(mean)")
    }

    @Test(
        "kinds and wearers come in the shares of the house; women have at least 12 silhouettes of dresses, and at least 8 patterns occur"
    )
    func variety() {
        let designs = wardrobe.garments.map(\.design)
        let kinds: [Kind: Int] = [
            .dress: 24, .top: 22, .skirt: 9, .trousers: 13, .shorts: 8, .coat: 11, .shoes: 8, .bag: 5,
        ]
        #expect(Set(kinds.keys) == Set(Kind.allCases))
        for (kind, share) in kinds { #expect(designs.count { $0.kind == kind } == 4 * share, "\(kind)") }
        for (wearer, share) in [(Wearer.women, 60), (.men, 25), (.kids, 15)] {
            #expect(designs.count { $0.wearer == wearer } == 4 * share, "\(wearer)")
        }
        #expect(designs.allSatisfy { $0.wearer != .men || $0.kind != .dress && $0.kind != .skirt })
        #expect(Set(designs.filter { $0.kind == .dress }.map(\.silhouette)).count >= 12)
        #expect(Set(designs.map(\.pattern)).count >= 8)
    }

    @Test("the first dozen shows variety, whatever the seed", arguments: 1...40)
    func firstDozen(seed: UInt64) {
        let designs = Wardrobe(count: 12, seed: seed).garments.map(\.design)
        #expect(Set(designs.map(\.kind)).count >= 6)
        #expect(designs.count { $0.kind == .dress } <= 4)
        #expect(Set(designs.map(\.wearer)).count >= 2)
        #expect(Set(designs.map(\.silhouette)).count >= 9)
    }

    @Test("every silhouette occurs, of each wearer that it suits, with a neckline, sleeve and length where it has one")
    func silhouettes() {
        let designs = Wardrobe(count: 3000, seed: 3).garments.map(\.design)
        for wearer in Wearer.allCases {
            let found = Set(designs.filter { $0.wearer == wearer }.map(\.silhouette))
            #expect(found == Set(Silhouette.allCases.filter { Rules.suits($0, wearer) }), "\(wearer)")
        }
        for design in designs {
            #expect((design.neckline == .none) == !design.kind.isUpper, "\(design)")
            #expect((design.length == .none) == design.kind.isAccessory, "\(design)")
            if !design.kind.isUpper { #expect(design.sleeve == .none, "\(design)") }
            #expect(!design.silhouette.isDenim || design.pattern == .solid || design.pattern == .washed, "\(design)")
        }
    }

    @Test("a wardrobe for In-shop has clothes of women and men alone, as many as asked")
    func inShop() {
        let garments = Wardrobe(count: 200, seed: 3, inShop: true).garments
        #expect(garments.count == 200)
        #expect(garments.allSatisfy { InShopLayout.knows($0.design.kind, $0.design.wearer) })
        #expect(Set(garments.map(\.design.kind)) == [.dress, .top, .skirt, .trousers, .shorts, .coat])
        #expect(garments.count { $0.split == .train } == 100)
    }

    @Test("near-twins exist: same silhouette and colours, one thing different")
    func twins() {
        let garments = wardrobe.garments
        let twins = garments.indices.count { index in
            garments[..<index].suffix(60).contains { other in
                other.colors == garments[index].colors && other.design.silhouette == garments[index].design.silhouette
                    && other.design.wearer == garments[index].design.wearer && other.split == garments[index].split
            }
        }
        #expect(twins > 60, "\(twins)")
    }

    @Test("garments are divided 6:1:3 among train, val and test in every ten")
    func splits() {
        for begin in stride(from: 0, to: 400, by: 10) {
            let splits = wardrobe.garments[begin..<(begin + 10)].map(\.split)
            #expect(splits.count { $0 == .train } == 6)
            #expect(splits.count { $0 == .val } == 1)
        }
        #expect(Wardrobe(count: 30, seed: 3, testOnly: true).garments.allSatisfy { $0.split == .test })
    }

    @Test("an unlucky number of garments, views or pixels is refused with the range that is right")
    func options() throws {
        #expect(throws: AtelierError.option(name: "garments", got: 0, allowed: 1...100_000)) { try BoutiqueOptions(garments: 0) }
        #expect(throws: AtelierError.option(name: "views", got: 1, allowed: 2...12)) { try BoutiqueOptions(views: 1) }
        #expect(throws: AtelierError.option(name: "width", got: 47, allowed: 48...1536)) { try BoutiqueOptions(width: 47) }
        _ = try BoutiqueOptions(garments: 1, views: 2, width: 48)
    }
}
