/// Random numbers that depend on a seed and a place alone (SplitMix64, Steele et al. 2014), so that any step can be drawn again.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// - Parameter place: what the numbers are for, such as step and view: other places, other numbers.
    public init(seed: UInt64, _ place: Int...) {
        state = seed
        for part in place { state = Self.mix(state &+ 0x9E37_79B9_7F4A_7C15) ^ UInt64(bitPattern: Int64(part)) }
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// What a step looks at: P items with K photos each, and single photos in K crops each; a share may have a K of its own. A pure function of the seed and the step.
public struct ItemSampler: Sendable {
    /// One view of a photo in a batch. Views of equal `item` are positives of each other.
    public struct View: Sendable, Equatable {
        public let photo: Int
        public let item: Int
    }

    /// What one share of the batch draws from.
    private struct Pool: Sendable {
        var garments: [(item: Int, photos: [Int])] = []
        var singles: [(item: Int, photos: [Int])] = []
    }

    private let seed: UInt64
    private let batch: Recipe.Batch
    private let pools: [Pool]

    /// - Parameters:
    ///   - items: the item of each photo, numbered from 0. Items of two and more photos are garments, the others singles.
    ///   - folders: the data folder of each photo, from 0; counts where the batch has a share for each folder.
    public init(items: [Int], folders: [Int], batch: Recipe.Batch, seed: UInt64) {
        var members: [[Int]] = Array(repeating: [], count: (items.max() ?? -1) + 1)
        for (photo, item) in items.enumerated() { members[item].append(photo) }
        var pools = [Pool](repeating: Pool(), count: batch.shares.count)
        for (item, photos) in members.enumerated() where !photos.isEmpty {
            let place = batch.shares.count == 1 ? 0 : folders[photos[0]]
            if photos.count > 1 {
                pools[place].garments.append((item, photos))
            } else {
                pools[place].singles.append((item, photos))
            }
        }
        self.pools = pools
        self.batch = batch
        self.seed = seed
    }

    /// How many garments and single photos there are.
    public var counts: (garments: Int, singles: Int) {
        pools.reduce((0, 0)) { ($0.0 + $1.garments.count, $0.1 + $1.singles.count) }
    }

    /// How the lack of garments is named.
    static let garments = "items with two photos"

    /// The folders that a share asks something of that they don't have, from 0; `nil` stands for all folders together.
    var lacking: [(folder: Int?, what: String)] {
        zip(pools, batch.shares).enumerated().flatMap { place, pair in
            let (pool, share) = pair
            let folder = batch.shares.count == 1 ? nil : place
            return [
                share.items > 0 && pool.garments.isEmpty ? (folder, Self.garments) : nil,
                // Where garments and singles are drawn from everything, a folder may have either.
                share.singles > 0 && pool.singles.isEmpty && (folder != nil || share.items == 0)
                    ? (folder, "single photos") : nil,
            ].compactMap { $0 }
        }
    }

    /// The views of step 0, 1, …: of each share first the garments', then the singles'; the views of one item stand together.
    ///
    /// Each kind runs through shuffled passes: every item comes once in each pass. Where a pass ends within a step an item may come twice in
    /// it; it keeps its number, so that its views are positives all the same.
    public func views(step: Int) -> [View] {
        var views: [View] = []
        for (number, (pool, share)) in zip(pools, batch.shares).enumerated() {
            let count = share.views ?? batch.views
            for (pass, place) in draw(share.items, of: pool.garments.count, step: step, stream: 1 + 16 * number) {
                let group = pool.garments[place]
                var generator = SeededGenerator(seed: seed, 3 + 16 * number, pass, place)
                let photos = group.photos.shuffled(using: &generator)
                for view in 0..<count { views.append(View(photo: photos[view % photos.count], item: group.item)) }
            }
            for (_, place) in draw(share.singles, of: pool.singles.count, step: step, stream: 2 + 16 * number) {
                let single = pool.singles[place]
                for _ in 0..<count { views.append(View(photo: single.photos[0], item: single.item)) }
            }
        }
        return views
    }

    /// What may stand for a view whose photo can't be read, in the order in which it is to be tried: other photos of its item, then photos of
    /// items of its kind. The views of one item get the same items, so that they stay positives of each other.
    func substitutes(for view: View, step: Int, place: Int) -> [View] {
        for groups in pools.flatMap({ [$0.garments, $0.singles] }) {
            guard let own = groups.first(where: { $0.item == view.item }) else { continue }
            var generator = SeededGenerator(seed: seed, 6, step, view.item)
            let others = own.photos.filter { $0 != view.photo }.shuffled(using: &generator)
            let strangers = (0..<16).map { _ in groups[Int.random(in: groups.indices, using: &generator)] }
            return others.map { View(photo: $0, item: own.item) }
                + strangers.map { View(photo: $0.photos[place % $0.photos.count], item: $0.item) }
        }
        return []
    }

    /// The places, out of `total`, that step `step` draws, and the pass each draw belongs to.
    private func draw(_ count: Int, of total: Int, step: Int, stream: Int) -> [(pass: Int, place: Int)] {
        if count == 0 || total == 0 { return [] }
        var order: (pass: Int, places: [Int])?
        return (step * count..<(step + 1) * count).map { position in
            let (pass, within) = position.quotientAndRemainder(dividingBy: total)
            if let order, order.pass == pass { return (pass, order.places[within]) }
            var generator = SeededGenerator(seed: seed, stream, pass)
            let places = Array(0..<total).shuffled(using: &generator)
            order = (pass, places)
            return (pass, places[within])
        }
    }
}
