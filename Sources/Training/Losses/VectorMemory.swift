import Torch

/// The vectors and labels of the latest batches, so that a batch is compared with more than itself: cross-batch memory, Wang et al. 2020
/// (arXiv:1912.06798, section 3.2). What it holds was made by earlier weights and carries no gradient.
struct VectorMemory {
    private static let parts = (vectors: "memory", labels: "memory_labels", count: "memory_count")

    /// `[m, d]`, L2-normalised; the oldest are not in any order.
    let vectors: Tensor
    /// `[m]`
    let labels: [Int]

    /// - Parameter size: how many vectors are kept; 0 keeps none.
    static func add(to heads: HeadScope, size: Int, dimension: Int) throws {
        guard size > 0 else { return }
        try heads.addRemembered(parts.vectors, .zeros([size, dimension]))
        // Labels stand as float32, which counts to 16,777,216.
        try heads.addRemembered(parts.labels, .zeros([size]))
        try heads.addRemembered(parts.count, .zeros([1]))
    }

    /// nil where nothing is remembered yet.
    /// - Parameter dimension: how much of each vector.
    init?(_ heads: HeadScope, dimension: Int) throws {
        let filled = min(Int(try heads.tensor(Self.parts.count).item()), try heads.tensor(Self.parts.labels).size(0))
        guard filled > 0 else { return nil }
        let whole = try heads.tensor(Self.parts.vectors).narrowed(0, start: 0, length: filled)
        vectors = try whole.size(1) == dimension ? whole : whole.narrowed(1, start: 0, length: dimension).normalized()
        labels = try heads.tensor(Self.parts.labels).floats().prefix(filled).map { Int($0) }
    }

    /// Takes a batch in, in the place of the oldest vectors.
    static func put(_ vectors: Tensor, labels: [Int], in heads: HeadScope) throws {
        try withoutGradients {
            let (memory, kept, count) = (
                try heads.tensor(parts.vectors), try heads.tensor(parts.labels), try heads.tensor(parts.count)
            )
            let size = kept.size(0)
            let new = min(labels.count, size)
            let seen = Int(try count.item())
            let values = try Tensor(labels.map(Float.init), shape: [labels.count]).to(kept.device)
            // Up to the end, and from the beginning again.
            var (from, to) = (labels.count - new, seen % size)
            while from < labels.count {
                let length = min(labels.count - from, size - to)
                try memory.narrowed(0, start: to, length: length).copyInPlace(
                    from: vectors.narrowed(0, start: from, length: length))
                try kept.narrowed(0, start: to, length: length).copyInPlace(from: values.narrowed(0, start: from, length: length))
                from += length
                to = (to + length) % size
            }
            // What counts is whether it is full, and where the next one goes: small enough for float32.
            let next = seen + new
            try count.copyInPlace(from: Tensor([Float(next >= 2 * size ? next - size : next)], shape: [1]).to(count.device))
        }
    }
}
