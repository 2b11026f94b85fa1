/// The best `capacity` hits seen so far, of each group at most its best one: a binary heap with the worst at its root.
///
/// Hits may be offered in any order, of one segment after the other. A group that was pushed out was worse than everything kept, and a later
/// hit of it comes in only if it is better: what is kept at the end is what sorting everything would keep.
struct TopHits {
    private struct Entry {
        var score: Float
        var id: Int64
        /// Meaningful where hits are grouped.
        var group: Group
    }

    private enum Group: Hashable {
        case number(Int32)
        /// An id without a group.
        case alone(Int64)
    }

    private let capacity: Int
    private let minimumScore: Float
    private let groupOf: (@Sendable (Int64) -> Int32?)?
    private var heap: [Entry] = []
    /// Where in the heap a group is; empty where nothing is grouped.
    private var places: [Group: Int] = [:]

    /// - Parameters:
    ///   - capacity: at least 1.
    ///   - expected: how many hits may be offered at most; room is made for no more.
    init(capacity: Int, expected: Int, minimumScore: Float?, group: (@Sendable (Int64) -> Int32?)?) {
        self.capacity = capacity
        self.minimumScore = minimumScore ?? -.infinity
        groupOf = group
        heap.reserveCapacity(min(capacity, expected))
    }

    /// Takes the scores of consecutive places of a list; `id` says whose score it is, nil if it may not be found. It is asked only about scores
    /// that would be kept.
    @inline(__always)
    mutating func offer(_ scores: UnsafeBufferPointer<Float>, id: (Int) -> Int64?) {
        var least = least
        // One comparison turns away almost every row.
        for place in scores.indices where scores[place] >= least {
            guard let id = id(place) else { continue }
            take(scores[place], id)
            least = self.least
        }
    }

    /// Best first; equal scores by ascending id.
    var sorted: [Hit] {
        heap.sorted { Self.isWorse($1, $0) }.map { Hit(id: $0.id, score: $0.score) }
    }

    /// A score below this one changes nothing.
    private var least: Float { heap.count < capacity ? minimumScore : heap[0].score }

    private mutating func take(_ score: Float, _ id: Int64) {
        var entry = Entry(score: score, id: id, group: .alone(id))
        let isFull = heap.count == capacity
        if isFull, !Self.isWorse(heap[0], entry) { return }
        if let groupOf {
            if let number = groupOf(id) { entry.group = .number(number) }
            if let place = places[entry.group] {
                // Only a better hit of the same group: it moves away from the root.
                guard Self.isWorse(heap[place], entry) else { return }
                heap[place] = entry
                return sink(place)
            }
            if isFull { places[heap[0].group] = nil }
        }
        if isFull {
            put(entry, at: 0)
            sink(0)
        } else {
            heap.append(entry)
            put(entry, at: heap.count - 1)
            rise(heap.count - 1)
        }
    }

    private static func isWorse(_ a: Entry, _ b: Entry) -> Bool {
        a.score != b.score ? a.score < b.score : a.id > b.id
    }

    private mutating func put(_ entry: Entry, at place: Int) {
        heap[place] = entry
        if groupOf != nil { places[entry.group] = place }
    }

    private mutating func swap(_ a: Int, _ b: Int) {
        let entry = heap[a]
        put(heap[b], at: a)
        put(entry, at: b)
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0, case let parent = (place - 1) / 2, Self.isWorse(heap[place], heap[parent]) {
            swap(place, parent)
            place = parent
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var worst = place
            for child in (2 * place + 1)..<(2 * place + 3) where child < heap.count && Self.isWorse(heap[child], heap[worst]) {
                worst = child
            }
            if worst == place { return }
            swap(place, worst)
            place = worst
        }
    }
}
