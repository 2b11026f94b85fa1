import Foundation
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

    @Test("wearers are named, shoes are called so, and neither shoes nor bags have sleeves or a neck")
    func wearers() {
        let polo = Design(
            wearer: .men, silhouette: .polo, neckline: .collar, sleeve: .short, length: .hip, pattern: .stripes, details: [])
        #expect(Captions.title(polo) == "Men's striped polo shirt with short sleeves")
        #expect(
            Captions.caption(polo, color: .navy, view: .back)
                == "the back of a men's navy striped polo shirt with short sleeves and a shirt collar")
        let shorts = Design(
            wearer: .kids, silhouette: .denimShorts, neckline: .none, sleeve: .none, length: .mini, pattern: .washed, details: [])
        #expect(Captions.caption(shorts, color: .blue, view: .main) == "a photo of children's blue washed denim shorts")
        let hoodie = Design(
            wearer: .kids, silhouette: .hoodie, neckline: .hood, sleeve: .long, length: .hip, pattern: .solid, details: [])
        #expect(Captions.caption(hoodie, color: .red, view: .side).hasPrefix("a side view of a child's red hoodie"))
        let sneakers = Design(
            silhouette: .sneaker, neckline: .none, sleeve: .none, length: .none, pattern: .solid,
            details: [.laces, .contrastSole])
        #expect(
            Captions.caption(sneakers, color: .white, view: .main)
                == "a pair of shoes, white sneakers with laces and a contrast sole")
        let bag = Design(
            silhouette: .tote, neckline: .none, sleeve: .none, length: .none, pattern: .solid, details: [.frontPocket])
        #expect(Captions.caption(bag, color: .olive, view: .main) == "a photo of an olive tote bag with a front pocket")
        for shot in Shot.all(of: Wardrobe(count: 200, seed: 8), views: 4) {
            let design = shot.garment.design
            switch design.wearer {
            case .women: #expect(!shot.caption.contains("men's") && !shot.caption.contains("child"))
            case .men: #expect(shot.caption.contains("men's"))
            case .kids: #expect(shot.caption.contains("child's") || shot.caption.contains("children's"))
            }
            guard design.kind.isAccessory else { continue }
            #expect(!shot.caption.contains("sleeve") && !shot.caption.contains("neck") && !shot.caption.contains("none"))
        }
    }

    @Test("the manifest names kind, category and the absence of a neckline in words")
    func manifest() throws {
        let shots = Shot.all(of: Wardrobe(count: 100, seed: 5), views: 2)
        var categories: [String: Set<String>] = [:]
        for shot in shots {
            let object = try JSONSerialization.jsonObject(with: Data(shot.manifestLine.utf8))
            let row = try #require(object as? [String: Any])
            let kind = try #require(row["kind"] as? String)
            categories[kind, default: []].insert(try #require(row["category"] as? String))
            if shot.garment.design.kind.isAccessory {
                #expect(row["neckline"] as? String == "none" && row["length"] as? String == "none")
            }
        }
        #expect(categories["dress"] == ["Women/Dresses", "Kids/Dresses"])
        #expect(categories["top"] == ["Women/Tops", "Men/Tops", "Kids/Tops"])
        #expect(categories["skirt"] == ["Women/Skirts", "Kids/Skirts"])
        #expect(categories["trousers"] == ["Women/Trousers", "Men/Trousers", "Kids/Trousers"])
        #expect(categories["shorts"] == ["Women/Shorts", "Men/Shorts", "Kids/Shorts"])
        #expect(categories["coat"] == ["Women/Coats", "Men/Coats", "Kids/Coats"])
        #expect(categories["shoes"] == ["Women/Shoes", "Men/Shoes", "Kids/Shoes"])
        #expect(categories["bag"] == ["Women/Bags", "Men/Bags", "Kids/Bags"])
        #expect(categories.count == Kind.allCases.count)
    }

    @Test("a side of clothes is seen of bodies only; shoes and bags are worn by nobody")
    func presentations() {
        #expect(
            shots.allSatisfy {
                $0.view != .side || $0.garment.design.kind.isAccessory || [.worn, .mannequin].contains($0.presentation)
            })
        #expect(shots.allSatisfy { !$0.garment.design.kind.isAccessory || [.flat, .hanger].contains($0.presentation) })
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

    @Test("every silhouette stands out from its background, in every view and for each wearer", arguments: Silhouette.allCases)
    func standsOut(silhouette: Silhouette) throws {
        for wearer in Wearer.allCases where Rules.suits(silhouette, wearer) {
            let rules = Rules(silhouette, wearer)
            let neckline = rules.necklines[0]
            var garment = shots[0].garment
            garment.design = Design(
                wearer: wearer, silhouette: silhouette, neckline: neckline, sleeve: rules.sleeves(with: neckline)[0].0,
                length: rules.lengths[0], pattern: .solid, details: [])
            garment.colors = [.red, .blue]
            for view in View.allCases.indices {
                func shot(_ color: Int) -> Shot {
                    let presentation: Presentation =
                        silhouette.kind.isAccessory ? .flat : View.allCases[view] == .side ? .mannequin : .worn
                    return Shot(garment: garment, colorIndex: color, viewIndex: view, presentation: presentation, split: "train")
                }
                // Two pictures of one shot but for the colour: what differs is the garment.
                var other = garment
                other.colors = [.blue]
                let one = try Studio.draw(shot(0), seed: 3, width: 96)
                let two = try Studio.draw(
                    Shot(
                        garment: other, colorIndex: 0, viewIndex: view, presentation: shot(0).presentation, split: "train"),
                    seed: 3, width: 96)
                let changed = stride(from: 0, to: one.pixels.count, by: 3).count {
                    abs(Int(one.pixels[$0]) - Int(two.pixels[$0])) > 40
                }
                #expect(changed > 96 * 128 / 40, "\(wearer) \(silhouette) \(View.allCases[view]): \(changed)")
            }
        }
    }

    @Test(
        "every silhouette of dresses, neckline, sleeve and pattern, and every detail of what may have it, shows in a picture 96 pixels wide"
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
        var groups: [[Design]] = []
        func vary(_ change: (inout Design) -> Void) {
            var design = base
            change(&design)
            if design != base { variants.append(design) }
        }
        for silhouette in Silhouette.allCases where silhouette.kind == .dress { vary { $0.silhouette = silhouette } }
        for sleeve in Sleeve.allCases { vary { $0.sleeve = sleeve } }
        for neckline in Neckline.allCases where ![.none, .lapels].contains(neckline) { vary { $0.neckline = neckline } }
        for pattern in Pattern.allCases where pattern != .washed { vary { $0.pattern = pattern } }
        for length in [Length.mini, .midi, .maxi] { vary { $0.length = length } }
        for detail in Rules(.aLine, .women).details(with: .crew, .short, .solid) { vary { $0.details = [detail] } }
        for (silhouette, wearer) in [
            (Silhouette.tee, Wearer.men), (.polo, .men), (.joggers, .men), (.straightJeans, .men), (.denimShorts, .kids),
            (.sportShorts, .kids), (.parka, .men), (.sneaker, .men), (.ankleBoot, .women), (.loafer, .men), (.sandal, .women),
            (.pump, .women), (.balletFlat, .women), (.tote, .women), (.crossbody, .women), (.backpack, .kids), (.clutch, .women),
            (.bucket, .women),
        ] {
            let rules = Rules(silhouette, wearer)
            let neckline = rules.necklines[0]
            var plain = Design(
                wearer: wearer, silhouette: silhouette, neckline: neckline, sleeve: rules.sleeves(with: neckline)[0].0,
                length: rules.lengths[0], pattern: .solid, details: [])
            var group = [plain]
            for detail in rules.details(with: neckline, plain.sleeve, .solid) {
                plain.details = [detail]
                group.append(plain)
            }
            groups.append(group)
        }
        groups.append(variants)
        for group in groups {
            let pictures = try group.map(draw)
            for one in pictures.indices {
                for other in pictures[..<one].indices {
                    let changed = zip(pictures[one].pixels, pictures[other].pixels).count { abs(Int($0) - Int($1)) > 24 }
                    #expect(changed > 30, "\(group[one]) looks like \(group[other])")
                }
            }
        }
    }
}
