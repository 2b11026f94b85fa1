/// P×K from few categories at a time: the items of a batch look alike, so that telling them apart is hard. Every category comes once in each
/// pass over the categories, however many items it has, and each runs through its own items in shuffled passes.
struct CategorySampler: BatchSampler {
    let seed: UInt64
    /// By category.
    let kinds: [[ItemPhotos]]
    private let categories: Int
    private let itemsOfEach: Int
    private let views: Int

    /// - Parameters:
    ///   - items: the item of each photo, numbered from 0. Items of a single photo are left out.
    ///   - labels: the category of each photo, numbered from 0; an item's is that of its first photo.
    ///   - categories: how many a batch draws from; itemsOfEach, how many items from each of them; views, how many photos of each item.
    init(items: [Int], labels: [Int], categories: Int, itemsOfEach: Int, views: Int, seed: UInt64) {
        var groups: [Int: [ItemPhotos]] = [:]
        for item in ItemPhotos.all(items) where item.photos.count > 1 { groups[labels[item.photos[0]], default: []].append(item) }
        // A category of one item tells nothing apart.
        kinds = groups.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map(\.value)
        self.categories = categories
        self.itemsOfEach = itemsOfEach
        self.views = views
        self.seed = seed
    }

    var lacking: String? {
        if kinds.isEmpty { return "categories of two items with two photos each, and there are none" }
        if kinds.count < categories {
            return "\(categories) categories of two items and more in a batch, and the data has \(kinds.count)"
        }
        return nil
    }

    var batchesPerPass: Int {
        let photos = kinds.joined().reduce(0) { $0 + $1.photos.count }
        return max(1, (photos + categories * itemsOfEach * views - 1) / (categories * itemsOfEach * views))
    }

    /// A category with fewer items than it is asked for gives all that it has; where a pass ends within a batch and a category comes twice, no
    /// item of it does.
    func views(step: Int) -> [SampledView] {
        var views: [SampledView] = []
        var taken: Set<Int> = []
        for (pass, category) in ShuffledPasses(seed: seed, stream: 1).draw(categories, of: kinds.count, step: step) {
            let items = kinds[category]
            let (own, photos) = (
                ShuffledPasses(seed: seed, stream: 2 + 16 * category), ShuffledPasses(seed: seed, stream: 3 + 16 * category)
            )
            // Where a pass over the items ends within the draw, the next one may begin with one that is here already: then the one behind it.
            var wanted = min(itemsOfEach, items.count)
            for (turn, place) in own.draw(from: pass * wanted, count: wanted + 2 * items.count, of: items.count)
            where wanted > 0 && taken.insert(items[place].item).inserted {
                for photo in photos.photos(items[place].photos, count: self.views, turn: turn, item: place) {
                    views.append(SampledView(photo: photo, item: items[place].item))
                }
                wanted -= 1
            }
        }
        return views
    }
}
