/// What the batches of a run look at: a pure function of the seed and the batch's number, so that a resumed run sees the batches that it
/// would have seen.
protocol BatchSampler: Sendable {
    /// The views of batch 0, 1, …; those of one item stand together.
    func views(step: Int) -> [SampledView]

    /// Items, with the photos that each may show, kind by kind: what stands for a photo that can't be read is of its own kind.
    var kinds: [[ItemPhotos]] { get }

    /// What the recipe asks of the data that it does not have, in words; nil where everything is there.
    var lacking: String? { get }

    /// Batches after which as many views were drawn as there are photos: what an epoch is where a recipe does not say.
    var batchesPerPass: Int { get }

    var seed: UInt64 { get }
}

/// One view of a photo in a batch. Views of equal `item` are positives of each other.
public struct SampledView: Sendable, Equatable {
    public let photo: Int
    public let item: Int
}

/// An item and its photos.
struct ItemPhotos: Sendable, Equatable {
    let item: Int
    let photos: [Int]

    /// - Parameter items: the item of each photo, numbered from 0.
    /// - Returns: in the order of the items.
    static func all(_ items: [Int]) -> [ItemPhotos] {
        var members: [[Int]] = Array(repeating: [], count: (items.max() ?? -1) + 1)
        for (photo, item) in items.enumerated() { members[item].append(photo) }
        return members.enumerated().compactMap { $1.isEmpty ? nil : ItemPhotos(item: $0, photos: $1) }
    }
}

extension BatchSampler {
    /// Items of two and more photos, and single photos.
    var counts: (garments: Int, singles: Int) {
        let items = kinds.joined()
        let garments = items.count { $0.photos.count > 1 }
        return (garments, items.count - garments)
    }

    /// What may stand for a view whose photo can't be read, in the order in which it is to be tried: other photos of its item, then photos of
    /// items of its kind. The views of one item get the same items, so that they stay positives of each other.
    func substitutes(for view: SampledView, step: Int, place: Int) -> [SampledView] {
        for items in kinds {
            guard let own = items.first(where: { $0.item == view.item }) else { continue }
            var generator = SeededGenerator(seed: seed, 6, step, view.item)
            let others = own.photos.filter { $0 != view.photo }.shuffled(using: &generator)
            let strangers = (0..<16).map { _ in items[Int.random(in: items.indices, using: &generator)] }
            return others.map { SampledView(photo: $0, item: own.item) }
                + strangers.map { SampledView(photo: $0.photos[place % $0.photos.count], item: $0.item) }
        }
        return []
    }

    /// How the lack of items with several photos is told.
    /// - Parameter owner: whose they would be, with a blank before it.
    static func noGarments(_ owner: String = "") -> String {
        "items with two photos\(owner), and there are none; give the photos of one product the same product_id, at least two of each, in a manifest.csv with the columns image and product_id"
    }
}

/// Draws by shuffled passes: everything comes once in each pass.
struct ShuffledPasses: Sendable {
    let seed: UInt64
    /// Other streams, other orders.
    let stream: Int

    /// The places, out of `total`, that step `step` draws, and the pass that each draw belongs to.
    func draw(_ count: Int, of total: Int, step: Int) -> [(pass: Int, place: Int)] {
        draw(from: step * count, count: count, of: total)
    }

    /// The draws from the given one on, counted over all passes.
    func draw(from start: Int, count: Int, of total: Int) -> [(pass: Int, place: Int)] {
        if count == 0 || total == 0 { return [] }
        var order: (pass: Int, places: [Int])?
        return (start..<start + count).map { position in
            let (pass, within) = position.quotientAndRemainder(dividingBy: total)
            if let order, order.pass == pass { return (pass, order.places[within]) }
            let places = self.order(of: total, pass: pass)
            order = (pass, places)
            return (pass, places[within])
        }
    }

    /// 0..<total, shuffled.
    func order(of total: Int, pass: Int) -> [Int] {
        var generator = SeededGenerator(seed: seed, stream, pass)
        return Array(0..<total).shuffled(using: &generator)
    }

    /// `count` photos of an item when it comes for the `turn`-th time (from 0): turn by turn others, until all were seen. An item with fewer shows some twice.
    /// - Parameter item: where its order begins; of two items with one number the orders are alike.
    func photos(_ photos: [Int], count: Int, turn: Int, item: Int) -> [Int] {
        let turnsOfAll = (photos.count + count - 1) / count
        let (cycle, part) = turn.quotientAndRemainder(dividingBy: turnsOfAll)
        var generator = SeededGenerator(seed: seed, stream, cycle, item)
        let order = photos.shuffled(using: &generator)
        // The last part reaches back to those before it, so that no photo comes twice in one turn.
        let start = max(0, min(part * count, photos.count - count))
        return (0..<count).map { order[(start + $0) % order.count] }
    }
}

extension Recipe {
    /// What draws the batches of this recipe.
    /// - Throws: `TrainingError` where a file of mined negatives can't be read.
    func sampler(for data: TrainingData) throws(TrainingError) -> any BatchSampler {
        let size = batch.shares[0].items
        switch batch.sampler {
        case .items: return ItemSampler(items: data.items, folders: data.folders, batch: batch, seed: seed)
        case .shuffled: return PhotoSampler(items: data.items, size: size, views: batch.views, isShuffled: true, seed: seed)
        case .inOrder: return PhotoSampler(items: data.items, size: size, views: batch.views, isShuffled: false, seed: seed)
        case .onePerItem: return OnePerItemSampler(items: data.items, size: size, views: batch.views, seed: seed)
        case .category(let by, let count):
            return CategorySampler(
                items: data.items, labels: data.labels(by: [by]), categories: count, itemsOfEach: size / count,
                views: batch.views, seed: seed)
        case .mined(let file, let hard):
            return MinedSampler(
                items: data.items, negatives: try HardNegatives(path: resolved(file)).items(of: data), size: size, hard: hard,
                views: batch.views, seed: seed)
        }
    }

    /// The same recipe with as many steps an epoch as the data needs, where it doesn't say how many.
    func resolved(for sampler: any BatchSampler) -> Recipe {
        guard stepsPerEpoch == 0 else { return self }
        var recipe = self
        recipe.stepsPerEpoch = max(1, sampler.batchesPerPass / optimizer.accumulate)
        return recipe
    }
}
