import Foundation
import Hashing

/// How validation rows are cut out of the training rows.
public struct ValidationCut: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// Whole items: none of them is trained on, as none of the test is.
        case identities
        /// Single pictures, as the original project did: every item is also trained on, which makes the figures too good.
        case images
    }

    public var kind: Kind
    /// Of the items, or of the pictures, in 0 ..< 1.
    public var share: Double
    public var seed: UInt64

    /// - Parameter share: where it is left out, a tenth of the items, or a fifth of the pictures.
    public init(_ kind: Kind = .identities, share: Double? = nil, seed: UInt64 = 0) {
        self.kind = kind
        self.share = share ?? (kind == .identities ? 0.1 : 0.2)
        self.seed = seed
    }

    /// A number that orders things at random, the same on every machine and whatever else is in the set.
    fileprivate func rank(_ name: String) -> String { SHA256.hexDigest(of: Data("\(seed)/\(name)".utf8)) }
}

extension OfficialSet {
    /// Gives some of the training rows the split `val`, and takes items with a single picture out of training: it has nothing to be pulled
    /// towards. Their rows are kept without a split.
    ///
    /// - `identities`: `share` of the training items, at least one of two, with all their pictures.
    /// - `images`: `share` of the training pictures, the same part of each item as near as whole pictures allow; an item keeps at least
    ///   two.
    ///
    /// Which ones is decided by a hash of seed and name, so that it depends neither on the order of the rows nor on the machine.
    /// - Parameter cut: `nil` where the official files have validation rows of their own.
    public mutating func cutValidation(_ cut: ValidationCut?) {
        var items: [String: [Int]] = [:]
        for (index, row) in rows.enumerated() where row.fields["split"] == "train" {
            items[row.productID, default: []].append(index)
        }
        for (item, indices) in items where indices.count < 2 {
            for index in indices { rows[index].fields["split"] = nil }
            items[item] = nil
        }
        guard let cut, cut.share > 0 else { return }
        switch cut.kind {
        case .identities:
            guard items.count > 1 else { return }
            let count = min(items.count - 1, max(1, Int((Double(items.count) * cut.share).rounded())))
            let ranked = items.keys.map { (rank: cut.rank($0), item: $0) }.sorted { $0.rank < $1.rank }
            for (_, item) in ranked.prefix(count) {
                for index in items[item] ?? [] { rows[index].fields["split"] = "val" }
            }
        case .images:
            for index in images(of: items, cut) { rows[index].fields["split"] = "val" }
        }
    }

    /// The largest-remainder method: each item gives the whole part of its share, those with the largest rest give one more.
    private func images(of items: [String: [Int]], _ cut: ValidationCut) -> [Int] {
        let total = items.values.reduce(0) { $0 + $1.count }
        let wanted = Int((Double(total) * cut.share).rounded())
        struct Part {
            let indices: [Int]
            var count: Int
            let rest: Double
            let rank: String
            var room: Int { indices.count - 2 - count }
        }
        var parts: [Part] = []
        for (item, indices) in items {
            let share = Double(indices.count) * cut.share
            let count = min(indices.count - 2, Int(share))
            parts.append(Part(indices: indices, count: count, rest: share - share.rounded(.down), rank: cut.rank(item)))
        }
        parts.sort { one, other in one.rest == other.rest ? one.rank < other.rank : one.rest > other.rest }
        var left = wanted - parts.reduce(0) { $0 + $1.count }
        // Items of two pictures have none to give, so that others may have to give more than their share.
        while left > 0, parts.contains(where: { $0.room > 0 }) {
            for index in parts.indices where left > 0 && parts[index].room > 0 {
                parts[index].count += 1
                left -= 1
            }
        }
        var chosen: [Int] = []
        for part in parts {
            let ranked = part.indices.map { (rank: cut.rank(rows[$0].name), index: $0) }.sorted { $0.rank < $1.rank }
            chosen += ranked.prefix(part.count).map { $0.index }
        }
        return chosen
    }
}
