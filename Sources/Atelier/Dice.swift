/// A small seeded generator: SplitMix64 (Steele, Lea and Flood 2014). The same numbers on every machine, which the generators
/// of the standard library do not promise.
struct Dice {
    private var state: UInt64

    /// The stream with this address under a seed. Streams of different addresses are independent, so that what is drawn for one
    /// garment or picture never depends on how much was drawn for another.
    init(seed: UInt64, _ address: Int...) {
        state = seed
        for part in address {
            state = next() ^ (UInt64(bitPattern: Int64(part)) &* 0xD134_2543_DE82_EF95)
        }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// In 0 ..< 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func between(_ low: Double, _ high: Double) -> Double { low + (high - low) * unit() }

    /// In 0 ..< count, for a count of at least 1.
    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

    mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    mutating func sign() -> Double { chance(0.5) ? 1 : -1 }

    /// One of at least one item.
    mutating func pick<Item>(_ items: [Item]) -> Item { items[below(items.count)] }

    /// One of at least one item, each as likely as its weight says.
    mutating func pick<Item>(_ items: [(Item, Double)]) -> Item {
        var left = unit() * items.reduce(0) { $0 + $1.1 }
        for (item, weight) in items.dropLast() {
            if left < weight { return item }
            left -= weight
        }
        return items[items.count - 1].0
    }

    mutating func shuffled<Item>(_ items: [Item]) -> [Item] {
        var items = items
        for last in stride(from: items.count - 1, to: 0, by: -1) { items.swapAt(last, below(last + 1)) }
        return items
    }
}
