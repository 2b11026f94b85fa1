import Testing

@testable import Training

@Suite("ItemSampler")
struct ItemSamplerTests {
    /// Garments 0–4 with 2, 3, 4, 2 and 5 photos, then 7 single photos with items 5…11; the photos of an item do not stand together.
    private let items = [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 6, 1, 2, 4, 7, 8, 2, 4, 9, 4, 10, 11]

    private func sampler(_ garments: Int, _ views: Int, _ singles: Int, seed: UInt64 = 3) -> ItemSampler {
        ItemSampler(
            items: items, folders: items.map { _ in 0 }, batch: .init(items: garments, views: views, singles: singles), seed: seed
        )
    }

    @Test("a share for each folder draws from that folder alone, however large the others are")
    func shares() {
        // Garments 0–4 and singles 5–7 in folder 0, singles 8–11 in folder 1.
        let sampler = ItemSampler(
            items: items, folders: items.map { $0 < 8 ? 0 : 1 },
            batch: .init(views: 2, shares: [.init(items: 2, singles: 1), .init(items: 0, singles: 3)]), seed: 3)
        #expect(sampler.lacking == nil)
        for step in 0..<30 {
            let drawn = sampler.views(step: step).enumerated().filter { $0.offset % 2 == 0 }.map(\.element.item)
            #expect(drawn.count == 6)
            #expect(drawn[0..<2].allSatisfy { $0 < 5 } && (5..<8).contains(drawn[2]) && drawn[3...].allSatisfy { $0 >= 8 })
        }
        #expect(Set((0..<4).flatMap { sampler.views(step: $0).suffix(6).map(\.item) }) == [8, 9, 10, 11])
    }

    @Test("a share may have a number of views of its own, and its garments all come in turn all the same")
    func viewsOfShares() {
        let sampler = ItemSampler(
            items: items, folders: items.map { $0 < 3 ? 0 : 1 },
            batch: .init(
                views: 4, shares: [.init(items: 2, singles: 0, views: nil), .init(items: 1, singles: 3, views: 1)]), seed: 3)
        #expect(
            Recipe.Batch(views: 4, shares: [.init(items: 2, singles: 0), .init(items: 1, singles: 3, views: 1)]).viewCount == 12)
        var seen: [Int: Int] = [:]
        var photos: Set<Int> = []
        for step in 0..<21 {
            let views = sampler.views(step: step)
            #expect(views.count == 2 * 4 + 4)
            #expect(views[..<4].allSatisfy { $0.item == views[0].item } && views[4..<8].allSatisfy { $0.item == views[4].item })
            #expect([3, 4].contains(views[8].item) && views[9...].allSatisfy { $0.item > 4 })
            #expect(Set(views[9...].map(\.item)).count == 3 || step * 3 / 7 != (step * 3 + 2) / 7)
            for item in [views[0], views[4], views[8], views[9], views[10], views[11]].map(\.item) { seen[item, default: 0] += 1 }
            if views[8].item == 4 { photos.insert(views[8].photo) }
        }
        // 42 draws of three garments, 21 of two, 63 of seven single photos.
        #expect(seen.filter { $0.key < 3 }.values.allSatisfy { $0 == 14 })
        #expect([3, 4].compactMap { seen[$0] }.sorted() == [10, 11])
        #expect(seen.filter { $0.key > 4 }.count == 7 && seen.filter { $0.key > 4 }.values.allSatisfy { $0 == 9 })
        #expect(photos.count > 2, "with one view a garment shows another photo each time")
    }

    @Test("a share that its folder can't serve is named")
    func lackingShares() {
        func lacking(_ items: [Int], _ shares: [Recipe.Batch.Share]) -> String? {
            ItemSampler(items: items, folders: [0, 0, 1], batch: .init(views: 2, shares: shares), seed: 1).lacking
        }
        #expect(
            lacking([0, 0, 1], [.init(items: 1, singles: 1), .init(items: 0, singles: 1)])
                == "single photos of data folder 1, and there are none")
        #expect(
            lacking([0, 0, 1], [.init(items: 1, singles: 0), .init(items: 2, singles: 1)])?.hasPrefix(
                "items with two photos of data folder 2") == true)
        #expect(lacking([0, 0, 1], [.init(items: 1, singles: 0), .init(items: 0, singles: 1)]) == nil)
    }

    @Test("garments are the items of two photos and more")
    func counts() {
        let counts = sampler(2, 2, 2).counts
        #expect(counts.garments == 5 && counts.singles == 7)
    }

    @Test("a step has P items with K views that stand together, garments first, labelled by their true item")
    func structure() {
        let sampler = sampler(3, 2, 4)
        for step in 0..<50 {
            let views = sampler.views(step: step)
            #expect(views.count == (3 + 4) * 2)
            for pair in stride(from: 0, to: views.count, by: 2) {
                #expect(views[pair].item == views[pair + 1].item)
                #expect((views[pair].item < 5) == (pair < 6))
                // Two photos of a garment, the same photo twice of a single.
                #expect((views[pair].photo == views[pair + 1].photo) == (pair >= 6))
            }
            #expect(views.allSatisfy { items[$0.photo] == $0.item })
        }
    }

    @Test(
        "every pass covers every item once, where the passes end at a step and where they end within one",
        arguments: [(5, 7), (3, 4), (2, 3), (1, 1), (4, 6)])
    func coverage(garments: Int, singles: Int) {
        let sampler = sampler(garments, 2, singles)
        var seen: (garments: [Int], singles: [Int]) = ([], [])
        for step in 0..<35 {
            let views = sampler.views(step: step)
            for index in stride(from: 0, to: views.count, by: 2) {
                if views[index].item < 5 {
                    seen.garments.append(views[index].item)
                } else {
                    seen.singles.append(views[index].item)
                }
            }
        }
        for pass in 0..<(seen.garments.count / 5) { #expect(Set(seen.garments[(5 * pass)..<(5 * pass + 5)]) == Set(0..<5)) }
        for pass in 0..<(seen.singles.count / 7) { #expect(Set(seen.singles[(7 * pass)..<(7 * pass + 7)]) == Set(5..<12)) }
        #expect(seen.garments.count >= 35 && seen.singles.count >= 35)
    }

    @Test("passes come in different orders, and a garment shows different photos in them")
    func shuffling() {
        let sampler = sampler(5, 2, 0)
        let orders = (0..<20).map { sampler.views(step: $0).map(\.item) }
        #expect(Set(orders).count > 10)
        let photos = Set((0..<40).flatMap { step in sampler.views(step: step).filter { $0.item == 4 }.map(\.photo) })
        #expect(photos == [4, 10, 14, 18, 20])
    }

    @Test("an item with fewer photos than K gives each of them before one comes again")
    func fewPhotos() {
        let sampler = sampler(5, 4, 0)
        for step in 0..<10 {
            let views = sampler.views(step: step)
            for item in 0..<5 {
                let photos = views.filter { $0.item == item }.map(\.photo)
                #expect(photos.count == 4)
                #expect(Set(photos).count == min(4, items.count { $0 == item }))
            }
        }
    }

    @Test("a step is a function of seed and number, whatever was drawn before")
    func determinism() {
        let (first, second) = (sampler(3, 2, 4), sampler(3, 2, 4))
        let forward = (0..<30).map { first.views(step: $0) }
        let backward = (0..<30).reversed().map { second.views(step: $0) }
        #expect(forward == backward.reversed())
        #expect(sampler(3, 2, 4, seed: 4).views(step: 0) != forward[0])
    }

    @Test("more items than there are come again in the same step, under the same number")
    func moreThanThere() {
        let views = sampler(8, 2, 0).views(step: 0)
        #expect(views.count == 16)
        #expect(Set(views.map(\.item)) == Set(0..<5))
    }

    @Test("the generator gives other numbers for other places and the same for the same")
    func generator() {
        func first(_ seed: UInt64, _ place: Int...) -> UInt64 {
            var generator =
                place.count == 2 ? SeededGenerator(seed: seed, place[0], place[1]) : SeededGenerator(seed: seed, place[0])
            return generator.next()
        }
        #expect(first(1, 2, 3) == first(1, 2, 3))
        #expect(Set([first(1, 2, 3), first(1, 3, 2), first(2, 2, 3), first(1, 2), first(1, 2, 4), first(2, 1, 3)]).count == 6)
    }
}
