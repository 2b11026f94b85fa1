/// P×K where items meet those that a model took for them: every item comes once in each pass as the first of a group, and its hard negatives
/// follow it.
struct MinedSampler: BatchSampler {
    let seed: UInt64
    private let items: [ItemPhotos]
    /// By place in `items`: the places of its hard negatives, the hardest first.
    private let negatives: [[Int]]
    private let size: Int
    private let hard: Int
    private let views: Int

    /// - Parameters:
    ///   - items: the item of each photo, numbered from 0. Items of a single photo are left out.
    ///   - negatives: by item, its hard negatives, the hardest first; those that are not in `items` with two photos are left out.
    ///   - size: items in a batch; hard, how many negatives follow each; views, how many photos of each item.
    init(items: [Int], negatives: [Int: [Int]], size: Int, hard: Int, views: Int, seed: UInt64) {
        let garments = ItemPhotos.all(items).filter { $0.photos.count > 1 }
        let places = Dictionary(uniqueKeysWithValues: garments.enumerated().map { ($1.item, $0) })
        self.items = garments
        self.negatives = garments.map { (negatives[$0.item] ?? []).compactMap { places[$0] } }
        self.size = size
        self.hard = hard
        self.views = views
        self.seed = seed
    }

    var kinds: [[ItemPhotos]] { [items] }

    var lacking: String? {
        if items.isEmpty { return Self.noGarments() }
        if size > items.count { return "\(size) items in a batch, and the data has \(items.count) of two photos" }
        if negatives.allSatisfy(\.isEmpty) { return "mined negatives, and the file has none of an item with two photos" }
        return nil
    }

    var batchesPerPass: Int { max(1, (items.reduce(0) { $0 + $1.photos.count } + size * views - 1) / (size * views)) }

    func views(step: Int) -> [SampledView] {
        let photos = ShuffledPasses(seed: seed, stream: 3)
        let groups = max(1, size / (hard + 1))
        var places: [Int] = []
        var taken: Set<Int> = []
        var turn = 0
        for (pass, place) in ShuffledPasses(seed: seed, stream: 1).draw(groups, of: items.count, step: step) {
            turn = pass
            if taken.insert(place).inserted { places.append(place) }
            // Others of the list each time, so that all of them are met.
            let list = negatives[place]
            var met = 0
            for offset in list.indices where met < hard {
                let negative = list[(pass * hard + offset) % list.count]
                if taken.insert(negative).inserted {
                    places.append(negative)
                    met += 1
                }
            }
        }
        // Groups that share items leave room: it is filled with whatever comes.
        var other = step * size
        let filler = ShuffledPasses(seed: seed, stream: 2)
        while places.count < size {
            let (_, place) = filler.draw(1, of: items.count, step: other)[0]
            if taken.insert(place).inserted { places.append(place) }
            other += 1
        }
        return places.prefix(size).flatMap { place in
            photos.photos(items[place].photos, count: views, turn: turn, item: place).map {
                SampledView(photo: $0, item: items[place].item)
            }
        }
    }
}
