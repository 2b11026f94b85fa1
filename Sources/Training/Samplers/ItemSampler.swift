/// P items with K photos each (P×K, Hermans et al. 2017, arXiv:1703.07737, section 2), and single photos in K crops each; a share may have a K
/// of its own.
///
/// Each kind runs through shuffled passes: every item comes once in each pass, with others of its photos each time. Where a pass ends within a
/// batch an item may come twice in it; it keeps its number, so that its views are positives all the same.
struct ItemSampler: BatchSampler {
    /// What one share of the batch draws from.
    private struct Pool: Sendable {
        var garments: [ItemPhotos] = []
        var singles: [ItemPhotos] = []
    }

    let seed: UInt64
    private let batch: Recipe.Batch
    private let pools: [Pool]

    /// - Parameters:
    ///   - items: the item of each photo, numbered from 0. Items of two and more photos are garments, the others singles.
    ///   - folders: the data folder of each photo, from 0; counts where the batch has a share for each folder.
    init(items: [Int], folders: [Int], batch: Recipe.Batch, seed: UInt64) {
        var pools = [Pool](repeating: Pool(), count: batch.shares.count)
        for item in ItemPhotos.all(items) {
            let place = batch.shares.count == 1 ? 0 : folders[item.photos[0]]
            if item.photos.count > 1 { pools[place].garments.append(item) } else { pools[place].singles.append(item) }
        }
        self.pools = pools
        self.batch = batch
        self.seed = seed
    }

    var kinds: [[ItemPhotos]] { pools.flatMap { [$0.garments, $0.singles] } }

    var lacking: String? {
        for (place, (pool, share)) in zip(pools, batch.shares).enumerated() {
            let isWhole = batch.shares.count == 1
            let owner = isWhole ? "" : " of data folder \(place + 1)"
            if share.items > 0 && pool.garments.isEmpty { return Self.noGarments(owner) }
            // Where garments and singles are drawn from everything, there may be either.
            if share.singles > 0 && pool.singles.isEmpty && (!isWhole || share.items == 0) {
                return "single photos\(owner), and there are none"
            }
        }
        return nil
    }

    var batchesPerPass: Int {
        let photos = zip(pools, batch.shares).reduce(0) { sum, pair in
            sum + (pair.1.items > 0 ? pair.0.garments.reduce(0) { $0 + $1.photos.count } : 0)
                + (pair.1.singles > 0 ? pair.0.singles.count * (pair.1.views ?? batch.views) : 0)
        }
        return max(1, (photos + batch.viewCount - 1) / batch.viewCount)
    }

    /// Of each share first the garments' views, then the singles'.
    func views(step: Int) -> [SampledView] {
        var views: [SampledView] = []
        for (number, (pool, share)) in zip(pools, batch.shares).enumerated() {
            let count = share.views ?? batch.views
            let garments = ShuffledPasses(seed: seed, stream: 1 + 16 * number)
            let photos = ShuffledPasses(seed: seed, stream: 3 + 16 * number)
            for (pass, place) in garments.draw(share.items, of: pool.garments.count, step: step) {
                let garment = pool.garments[place]
                for photo in photos.photos(garment.photos, count: count, turn: pass, item: place) {
                    views.append(SampledView(photo: photo, item: garment.item))
                }
            }
            let singles = ShuffledPasses(seed: seed, stream: 2 + 16 * number)
            for (_, place) in singles.draw(share.singles, of: pool.singles.count, step: step) {
                let single = pool.singles[place]
                for _ in 0..<count { views.append(SampledView(photo: single.photos[0], item: single.item)) }
            }
        }
        return views
    }
}
