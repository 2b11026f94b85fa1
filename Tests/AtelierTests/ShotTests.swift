import Imaging
import Testing

@testable import Atelier

@Suite("Pictures of a wardrobe")
struct ShotTests {
    private let shots = Shot.all(of: Wardrobe(count: 120, seed: 5), views: 4)

    @Test("every colour has all views, the front first")
    func views() {
        for start in stride(from: 0, to: shots.count, by: 4) {
            #expect(shots[start..<(start + 4)].map(\.view) == [.main, .back, .side, .detail])
        }
    }

    @Test(
        "every test garment has query and gallery pictures in every colour, and its front hangs in the gallery", arguments: 2...7)
    func queries(views: Int) {
        let shots = Shot.all(of: Wardrobe(count: 40, seed: 5, testOnly: true), views: views)
        for start in stride(from: 0, to: shots.count, by: views) {
            let splits = shots[start..<(start + views)].map(\.split)
            #expect(splits[0] == "gallery")
            #expect(splits.contains("query"))
            #expect(splits.allSatisfy { $0 == "query" || $0 == "gallery" })
            if views >= 4 { #expect(splits.count { $0 == "gallery" } >= 2) }
        }
    }

    @Test("no garment is in two of train, val and test")
    func disjoint() {
        var groups: [String: Set<String>] = [:]
        for shot in shots {
            groups[shot.garment.id, default: []].insert(["query", "gallery"].contains(shot.split) ? "test" : shot.split)
        }
        #expect(groups.values.allSatisfy { $0.count == 1 })
        #expect(Set(groups.values.flatMap(\.self)) == ["train", "val", "test"])
    }

    @Test("a caption names the picture's own colour, the pattern and the kind of garment")
    func captions() {
        for shot in shots {
            let words = shot.caption.split(separator: " ").map(String.init)
            #expect(words.contains(shot.color.rawValue), "\(shot.caption)")
            // The colour named first is the picture's; no other stands before it.
            #expect(words.first { word in Swatch.allCases.contains { $0.rawValue == word } } == shot.color.rawValue)
            #expect(shot.caption.contains(Captions.noun(shot.garment.design)))
            if let adjective = Captions.adjective(shot.garment.design.pattern) { #expect(shot.caption.contains(adjective)) }
        }
    }

    @Test("a title and a caption read like English")
    func words() {
        let design = Design(
            silhouette: .wrap, neckline: .v, sleeve: .bell, length: .midi, pattern: .stripes, details: [.ruffleHem])
        #expect(Captions.title(design) == "Striped midi wrap dress with bell sleeves")
        #expect(
            Captions.caption(design, color: .navy, view: .main)
                == "a photo of a navy striped midi wrap dress with bell sleeves, a v neck and a ruffle hem")
        let trousers = Design(silhouette: .slim, neckline: .none, sleeve: .none, length: .full, pattern: .solid, details: [])
        #expect(Captions.caption(trousers, color: .olive, view: .back) == "the back of olive slim trousers")
        let coat = Design(silhouette: .cocoon, neckline: .stand, sleeve: .long, length: .knee, pattern: .solid, details: [])
        #expect(Captions.caption(coat, color: .olive, view: .detail).hasPrefix("a close-up of an olive cocoon coat"))
    }

    @Test("a side is seen of bodies only")
    func presentations() {
        #expect(shots.allSatisfy { $0.view != .side || [.worn, .mannequin].contains($0.presentation) })
        #expect(Set(shots.map(\.presentation)).count == Presentation.allCases.count)
    }

    @Test("a picture is a portrait whose bytes depend on seed and shot alone")
    func drawing() throws {
        let shot = shots[8]
        let picture = try Studio.draw(shot, seed: 5)
        #expect((picture.width, picture.height) == (384, 512))
        #expect(try Studio.draw(shot, seed: 5) == picture)
        let small = try Studio.draw(shot, seed: 5, width: 96)
        #expect((small.width, small.height) == (96, 128))
        #expect(try Studio.draw(shot, seed: 6) != picture)
        #expect(try Studio.draw(shots[9], seed: 5) != picture)
    }

    @Test(
        "every silhouette, neckline, sleeve, pattern and detail shows in a picture 96 pixels wide"
    )
    func identityShows() throws {
        // Drawn small: what can be told apart here can be told apart by a model.
        func draw(_ design: Design) throws -> RGBImage {
            var garment = shots[0].garment
            garment.design = design
            garment.print.placement = .all
            return try Studio.draw(
                Shot(garment: garment, colorIndex: 0, viewIndex: 0, presentation: .flat, split: "train"), seed: 1, width: 96)
        }
        let base = Design(silhouette: .aLine, neckline: .crew, sleeve: .short, length: .knee, pattern: .solid, details: [])
        var variants: [Design] = [base]
        func vary(_ change: (inout Design) -> Void) {
            var design = base
            change(&design)
            if design != base { variants.append(design) }
        }
        for silhouette in Silhouette.allCases where silhouette.kind == .dress { vary { $0.silhouette = silhouette } }
        for sleeve in Sleeve.allCases { vary { $0.sleeve = sleeve } }
        for neckline in Neckline.allCases where ![.none, .lapels].contains(neckline) { vary { $0.neckline = neckline } }
        for pattern in Pattern.allCases { vary { $0.pattern = pattern } }
        for length in [Length.mini, .midi, .maxi] { vary { $0.length = length } }
        for detail in Detail.allCases where ![.contrastCollar].contains(detail) { vary { $0.details = [detail] } }
        let pictures = try variants.map(draw)
        for one in pictures.indices {
            for other in pictures[..<one].indices {
                let changed = zip(pictures[one].pixels, pictures[other].pixels).count { abs(Int($0) - Int($1)) > 24 }
                #expect(changed > 30, "\(variants[one]) looks like \(variants[other])")
            }
        }
    }
}
