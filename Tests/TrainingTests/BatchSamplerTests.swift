import Testing

@testable import Training

@Suite("Samplers")
struct BatchSamplerTests {
    /// Item i has i + 1 photos: 0 is single.
    private let items = (0..<9).flatMap { Array(repeating: $0, count: $0 + 1) }

    private static func every<Element>(_ step: Int, of list: [Element]) -> [Element] {
        stride(from: 0, to: list.count, by: step).map { list[$0] }
    }

    private func photos(_ sampler: some BatchSampler, _ steps: Range<Int>) -> [Int] {
        steps.flatMap { sampler.views(step: $0).map(\.photo) }
    }

    @Test("shuffled shows every photo once in each pass, in another order each time, and in order repeats the data")
    func shuffled() {
        let sampler = PhotoSampler(items: items, size: 9, views: 1, isShuffled: true, seed: 4)
        #expect(sampler.batchesPerPass == 5 && sampler.lacking == nil)
        let passes = (0..<3).map { photos(sampler, 5 * $0..<5 * ($0 + 1)) }
        for pass in passes { #expect(pass.sorted() == Array(0..<45) && pass != Array(0..<45)) }
        #expect(Set(passes).count == 3)
        let odd = PhotoSampler(items: items, size: 7, views: 2, isShuffled: true, seed: 4)
        let drawn = photos(odd, 0..<45)
        let (firsts, seconds) = (Self.every(2, of: drawn), Self.every(2, of: Array(drawn.dropFirst())))
        #expect(firsts == seconds && firsts.count == 315)
        for pass in 0..<7 { #expect(firsts[pass * 45..<pass * 45 + 45].sorted() == Array(0..<45)) }
        let inOrder = PhotoSampler(items: items, size: 9, views: 1, isShuffled: false, seed: 4)
        #expect(photos(inOrder, 0..<10) == Array(0..<45) + Array(0..<45))
        #expect(PhotoSampler(items: items, size: 46, views: 1, isShuffled: true, seed: 4).lacking?.contains("46 photos") == true)
    }

    @Test("one of each item: no item twice in a batch, all items alike often, and every photo in its turn")
    func onePerItem() {
        let sampler = OnePerItemSampler(items: items, size: 4, views: 1, seed: 2)
        var seen = [Int: Int](), shown = Set<Int>()
        for step in 0..<9 * 2 * 8 {
            let views = sampler.views(step: step)
            #expect(views.count == 4 && Set(views.map(\.item)).count == 4)
            #expect(views.allSatisfy { items[$0.photo] == $0.item })
            for view in views {
                seen[view.item, default: 0] += 1
                shown.insert(view.photo)
            }
        }
        // 72 passes of two whole batches: one of nine items is left over in each.
        #expect(shown.count == 45)
        #expect(seen.count == 9 && seen.values.allSatisfy { (52...72).contains($0) })
        #expect(OnePerItemSampler(items: items, size: 10, views: 1, seed: 2).lacking?.contains("10 different items") == true)
    }

    @Test("P×K shows every photo of an item within as many passes as it needs, none twice in one turn")
    func rotation() {
        let sampler = ItemSampler(
            items: items, folders: items.map { _ in 0 }, batch: .init(items: 4, views: 2, singles: 0), seed: 8)
        // Eight garments: two steps a pass; the largest has nine photos, so any nine passes show all of every item.
        #expect(sampler.batchesPerPass == 6)
        for cycle in 0..<3 {
            var shown: Set<Int> = []
            for step in cycle * 20..<cycle * 20 + 20 {
                let views = sampler.views(step: step)
                for pair in stride(from: 0, to: 8, by: 2) { #expect(views[pair].photo != views[pair + 1].photo) }
                shown.formUnion(views.map(\.photo))
            }
            #expect(shown == Set(1..<45))
        }
    }

    @Test("by category: items of few categories, each category alike often, each item in its turn")
    func category() {
        // Categories of 2, 3 and 3 garments, and one garment alone in a fourth.
        let garments = (0..<9).flatMap { [$0, $0, $0] }
        let labels = garments.map { [0, 0, 1, 1, 1, 2, 2, 2, 3][$0] }
        let sampler = CategorySampler(items: garments, labels: labels, categories: 2, itemsOfEach: 2, views: 2, seed: 5)
        #expect(sampler.lacking == nil && sampler.kinds.map(\.count) == [2, 3, 3])
        var batches = [Int: Int](), drawn = [Int: Int](), shown = Set<Int>()
        for step in 0..<90 {
            let views = sampler.views(step: step)
            let own = Set(views.map { labels[$0.photo] })
            #expect(views.count == 8 || step % 3 == 1, "two of each category, of which a pass may end with one that comes again")
            for category in own { batches[category, default: 0] += 1 }
            for place in stride(from: 0, to: views.count, by: 2) {
                #expect(views[place].item == views[place + 1].item && views[place].photo != views[place + 1].photo)
                drawn[views[place].item, default: 0] += 1
            }
            shown.formUnion(views.map(\.photo))
            #expect(Set(views.map(\.item)).count * 2 == views.count)
        }
        #expect(Set(drawn.keys) == Set(0..<8) && shown.count == 24)
        // 60 draws of each category: 120 items of each.
        for item in 0..<2 { #expect((50...60).contains(drawn[item] ?? 0)) }
        for item in 2..<8 { #expect((34...41).contains(drawn[item] ?? 0)) }
        #expect(
            CategorySampler(items: garments, labels: labels, categories: 4, itemsOfEach: 1, views: 2, seed: 5).lacking?
                .contains("has 3") == true)
    }

    @Test("mined: an item's hard negatives stand beside it, others of them each time, and a batch is always full")
    func mined() {
        let garments = (0..<12).flatMap { [$0, $0] }
        var negatives: [Int: [Int]] = [:]
        for item in 0..<12 { negatives[item] = (1...4).map { (item + $0) % 12 } }
        let sampler = MinedSampler(items: garments, negatives: negatives, size: 6, hard: 2, views: 2, seed: 3)
        #expect(sampler.lacking == nil)
        var met = [Int: Set<Int>](), firsts = [Int: Int]()
        for step in 0..<60 {
            let items = Self.every(2, of: sampler.views(step: step)).map(\.item)
            #expect(items.count == 6 && Set(items).count == 6)
            firsts[items[0], default: 0] += 1
            let hard = negatives[items[0]] ?? []
            met[items[0], default: []].formUnion(items[1...2].filter { hard.contains($0) })
        }
        #expect(firsts.count >= 8)
        #expect(met.values.allSatisfy { $0.count >= 2 } && met.values.contains { $0.count == 4 })
        let none = MinedSampler(items: garments, negatives: [:], size: 6, hard: 2, views: 2, seed: 3)
        #expect(none.lacking?.contains("mined negatives") == true)
        // Without enough negatives whatever comes fills the batch.
        let few = MinedSampler(items: garments, negatives: [0: [1]], size: 6, hard: 2, views: 2, seed: 3)
        for step in 0..<30 { #expect(Set(few.views(step: step).map(\.item)).count == 6) }
    }

    @Test("every sampler draws the same batch again, whatever was drawn before, and another for another seed")
    func pure() {
        func all(_ seed: UInt64) -> [any BatchSampler] {
            [
                PhotoSampler(items: items, size: 9, views: 1, isShuffled: true, seed: seed),
                OnePerItemSampler(items: items, size: 4, views: 1, seed: seed),
                CategorySampler(items: items, labels: items.map { $0 % 2 }, categories: 2, itemsOfEach: 2, views: 2, seed: seed),
                MinedSampler(
                    items: items, negatives: [2: [3, 4], 5: [6]], size: 4, hard: 1, views: 2, seed: seed),
                ItemSampler(
                    items: items, folders: items.map { _ in 0 }, batch: .init(items: 3, views: 2, singles: 1), seed: seed),
            ]
        }
        let (ones, others, thirds) = (all(1), all(1), all(2))
        for number in ones.indices {
            let batches: [[SampledView]] = (0..<20).map { ones[number].views(step: $0) }
            let backwards: [[SampledView]] = (0..<20).reversed().map { others[number].views(step: $0) }
            #expect(Array(backwards.reversed()) == batches)
            let different: [[SampledView]] = (0..<20).map { thirds[number].views(step: $0) }
            #expect(different != batches)
        }
    }
}
