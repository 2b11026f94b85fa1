/// Finds the values of a column that a condition may admit without looking at the others.
///
/// What a condition can ask for, a term, is the whole value, each of its parts between `|`, and for a category each path above. Kept is a
/// hash of the term, without regard to case or to how Unicode spells a letter, beside the value's code: two terms may share a hash, so what
/// is found is judged by `CatalogFilter.Clause.admits`.
struct TermIndex: Sendable {
    private struct Entry: Sendable {
        var hash: UInt32
        var code: UInt32
    }

    /// Sorted by hash, then code, but for entries past `sorted`.
    private var entries: [Entry] = []
    private var sorted = 0

    /// Adds a value. `settle` has to follow before values are looked for.
    mutating func add(_ value: String, code: UInt32, isCategory: Bool) {
        let first = entries.count
        Self.forEachTerm(of: value, isCategory: isCategory) { hash in
            if !entries[first...].contains(where: { $0.hash == hash }) { entries.append(Entry(hash: hash, code: code)) }
        }
    }

    /// Brings entries that were added into order.
    mutating func settle() {
        guard sorted < entries.count else { return }
        func precede(_ a: Entry, _ b: Entry) -> Bool { (a.hash, a.code) < (b.hash, b.code) }
        if entries.count - sorted < 32 {
            for place in sorted..<entries.count {
                let entry = entries.remove(at: place)
                let target = entries[..<place].partitioningIndex { !precede($0, entry) }
                entries.insert(entry, at: target)
            }
        } else {
            entries.sort(by: precede)
        }
        sorted = entries.count
    }

    /// The codes of all values with this term, and perhaps of some without.
    func candidates(_ term: String) -> some Sequence<UInt32> {
        let hash = Self.hash(Self.folded(term).utf8)
        let first = entries.partitioningIndex { $0.hash >= hash }
        return entries[first...].lazy.prefix { $0.hash == hash }.map(\.code)
    }

    private static func forEachTerm(of value: String, isCategory: Bool, _ body: (UInt32) -> Void) {
        let whole = folded(value)
        body(hash(whole.utf8))
        for part in CatalogFilter.parts(of: value) {
            let part = folded(part)
            var state = initial
            for byte in part.utf8 {
                // The path above ends here.
                if isCategory, byte == UInt8(ascii: "/") { body(state) }
                mix(byte, into: &state)
            }
            body(state)
        }
    }

    /// Two texts that differ in case or in the spelling of letters alone become one.
    private static func folded(_ text: String) -> String {
        text.lowercased().oneSpelling
    }

    // FNV-1a: the hash of a path above is met on the way to the hash of the whole.
    private static let initial: UInt32 = 2_166_136_261

    private static func mix(_ byte: UInt8, into state: inout UInt32) { state = (state ^ UInt32(byte)) &* 16_777_619 }

    private static func hash(_ bytes: String.UTF8View) -> UInt32 {
        var state = initial
        for byte in bytes { mix(byte, into: &state) }
        return state
    }
}

extension RandomAccessCollection {
    /// The first place whose element, like all after it, satisfies the predicate.
    func partitioningIndex(where isInSecond: (Element) -> Bool) -> Index {
        var low = startIndex
        var length = count
        while length > 0 {
            let half = length / 2
            let middle = index(low, offsetBy: half)
            if isInSecond(self[middle]) {
                length = half
            } else {
                low = index(after: middle)
                length -= half + 1
            }
        }
        return low
    }
}
