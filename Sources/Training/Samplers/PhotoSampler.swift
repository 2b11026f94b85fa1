/// Photos one by one: every photo once in each pass, shuffled or in the order of the data.
struct PhotoSampler: BatchSampler {
    let seed: UInt64
    let kinds: [[ItemPhotos]]
    private let items: [Int]
    private let size: Int
    private let views: Int
    private let isShuffled: Bool

    /// - Parameters: items, the item of each photo, numbered from 0; size, photos in a batch; views of each.
    init(items: [Int], size: Int, views: Int, isShuffled: Bool, seed: UInt64) {
        self.items = items
        self.size = size
        self.views = views
        self.isShuffled = isShuffled
        self.seed = seed
        kinds = [ItemPhotos.all(items)]
    }

    var lacking: String? {
        size > items.count ? "batches of \(size) photos, and the data has \(items.count)" : nil
    }

    var batchesPerPass: Int { (items.count + size - 1) / size }

    /// Where a pass ends within a batch, the next one goes on in it.
    func views(step: Int) -> [SampledView] {
        let photos =
            isShuffled
            ? ShuffledPasses(seed: seed, stream: 1).draw(size, of: items.count, step: step).map(\.place)
            : (step * size..<(step + 1) * size).map { $0 % items.count }
        return photos.flatMap { photo in (0..<views).map { _ in SampledView(photo: photo, item: items[photo]) } }
    }
}

/// One photo of each of many items: no two photos of one item meet as negatives. An item shows another photo in each pass.
struct OnePerItemSampler: BatchSampler {
    let seed: UInt64
    private let items: [ItemPhotos]
    private let size: Int
    private let views: Int

    /// - Parameters: items, the item of each photo, numbered from 0; size, items in a batch; views of each one's photo.
    init(items: [Int], size: Int, views: Int, seed: UInt64) {
        self.items = ItemPhotos.all(items)
        self.size = size
        self.views = views
        self.seed = seed
    }

    var kinds: [[ItemPhotos]] { [items] }

    var lacking: String? {
        size > items.count ? "batches of \(size) different items, and the data has \(items.count)" : nil
    }

    private var batchesOfItems: Int { items.count / size }

    var batchesPerPass: Int { max(1, (items.reduce(0) { $0 + $1.photos.count } + size - 1) / size) }

    /// A pass has whole batches alone, so that no batch holds an item twice; which items are left over differs from pass to pass.
    func views(step: Int) -> [SampledView] {
        let (pass, within) = step.quotientAndRemainder(dividingBy: batchesOfItems)
        let order = ShuffledPasses(seed: seed, stream: 1).order(of: items.count, pass: pass)
        let photos = ShuffledPasses(seed: seed, stream: 3)
        return order[within * size..<(within + 1) * size].flatMap { place in
            let item = items[place]
            let photo = photos.photos(item.photos, count: 1, turn: pass, item: place)[0]
            return (0..<views).map { _ in SampledView(photo: photo, item: item.item) }
        }
    }
}
