/// What shops call colours.
public struct FashionColor: Sendable, Hashable {
    public let name: String
    /// Shades that go by the name.
    let shades: [LabColor]

    /// The name that fits a colour best.
    public static func nearest(to color: LabColor) -> FashionColor {
        func distance(_ candidate: FashionColor) -> Double { candidate.shades.map { $0.distance(to: color) }.min() ?? .infinity }
        return all.min { distance($0) < distance($1) } ?? all[0]
    }

    public static let all: [FashionColor] = [
        ("black", ["0a0a0a", "1c1c1e", "2a2a2c"]), ("charcoal", ["3a3b3d", "474a4e"]), ("grey", ["6f7276", "8c8f93", "a9abae"]),
        ("light grey", ["c4c6c8", "d6d7d9"]), ("white", ["f3f3f1", "ffffff", "e8e9ea"]), ("cream", ["f3ead6", "f7f1e1"]),
        ("beige", ["d9c7a8", "e3d5bd", "c9b391"]), ("camel", ["c19a6b", "b5854b"]), ("brown", ["5c3d2a", "74492c", "8a5a3a"]),
        ("chocolate", ["3d2519", "45291c"]), ("rust", ["a8452a", "b7512b"]), ("orange", ["ee7f2d", "f59a3e"]),
        ("coral", ["f4766a", "ff8a73"]), ("red", ["c8202f", "e03a3c", "b3131f"]), ("burgundy", ["6d1a2d", "7d2438", "561423"]),
        ("pink", ["f2a9bd", "e77fa3", "f7c6d3"]), ("fuchsia", ["d6247f", "c21c78"]), ("purple", ["5f2f82", "7a46a3"]),
        ("lilac", ["b79ad1", "cbb6e0", "a98fc4"]), ("navy", ["1b2544", "22305c", "141b33"]),
        ("blue", ["2f5fb3", "3b79d1", "2450a0", "1a24b8", "2030e0"]),
        ("light blue", ["9dc3e6", "b8d6ee", "86b0d9"]), ("teal", ["1f6f72", "2a8285", "175a5e"]),
        ("turquoise", ["3dbdb7", "55cfc4"]), ("mint", ["b5e2cc", "9fd8bd"]), ("green", ["2f7d45", "3f9c57", "22633a"]),
        ("olive", ["6b6a33", "7d7b3e", "56562a"]), ("khaki", ["a39d74", "b4ad85"]), ("mustard", ["cf9a26", "d9a83a"]),
        ("yellow", ["f5d94b", "f8e57a"]),
    ].map { name, shades in FashionColor(name: name, shades: shades.compactMap(Self.color)) }

    private static func color(_ hex: String) -> LabColor? {
        guard let value = UInt32(hex, radix: 16) else { return nil }
        return LabColor(
            red: UInt8(truncatingIfNeeded: value >> 16), green: UInt8(truncatingIfNeeded: value >> 8),
            blue: UInt8(truncatingIfNeeded: value))
    }
}
