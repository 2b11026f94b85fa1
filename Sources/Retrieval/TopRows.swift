/// The best `capacity` rows seen so far: a binary heap with the worst at its root.
///
/// Rows must be offered in ascending order. Then a row whose score only equals the worst kept one comes after it in the final
/// order and may be dropped, so a single comparison turns away almost every row.
struct TopRows {
    private let capacity: Int
    private var heap: [(score: Float, row: Int)] = []

    init(capacity: Int) {
        self.capacity = capacity
        heap.reserveCapacity(capacity)
    }

    /// Takes consecutive places of a list of rows; `row` translates a place into a row.
    @inline(__always)
    mutating func offer(_ scores: UnsafeBufferPointer<Float>, row: (Int) -> Int) {
        var index = 0
        while heap.count < capacity, index < scores.count {
            heap.append((scores[index], row(index)))
            rise(heap.count - 1)
            index += 1
        }
        guard index < scores.count else { return }
        var worst = heap[0].score
        while index < scores.count {
            if scores[index] > worst {
                heap[0] = (scores[index], row(index))
                sink()
                worst = heap[0].score
            }
            index += 1
        }
    }

    /// Best first; equal scores by ascending row.
    var sorted: [(score: Float, row: Int)] { heap.sorted { Self.isWorse($1, $0) } }

    private static func isWorse(_ a: (score: Float, row: Int), _ b: (score: Float, row: Int)) -> Bool {
        a.score != b.score ? a.score < b.score : a.row > b.row
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0, case let parent = (place - 1) / 2, Self.isWorse(heap[place], heap[parent]) {
            heap.swapAt(place, parent)
            place = parent
        }
    }

    private mutating func sink() {
        var place = 0
        while true {
            var worst = place
            for child in (2 * place + 1)..<(2 * place + 3) where child < heap.count && Self.isWorse(heap[child], heap[worst]) {
                worst = child
            }
            if worst == place { return }
            heap.swapAt(place, worst)
            place = worst
        }
    }
}
