import Foundation
import GRDB

@testable import Catalog

/// Random numbers that are the same on every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Writes rows into a catalogue at random, of few values that meet in every way a filter can tell apart.
struct RandomCatalog {
    let store: CatalogStore
    var random: SeededGenerator

    static let colors = [
        "Black", "black", "Dark Blue", "ÄRMEL", "ärmel", " Gray ", "Red|Blue", "Blue", "blue|RED|Red", "", "a|", "Grün",
    ]
    static let categories = ["Men", "Men/Tops", "men/tops/Hoodies", "Men/Topsy", "Women/Tops|Men/Tops", "/", "Men/", "Women"]
    static let prices: [Double?] = [nil, 0, 1, 19.99, 52, 1e15, 0.1 + 0.2, 7]
    static let weights = ["250", "1e3", "0x10", "nan", "12|300", "-5", "heavy", "7.50"]
    /// Spellings that Unicode takes for the same: `ä` as one letter and as two.
    static let titles = ["Kleid gr\u{FC}n", "Kleid gru\u{308}n", "KLEID GR\u{DC}N", "10..20", "Shirt"]

    mutating func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
    mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }

    private mutating func maybe(_ values: [String]) -> String? { chance(0.7) ? pick(values) : nil }

    /// Some writes, in one transaction each.
    mutating func write(_ count: Int) throws {
        for _ in 0..<count { try step() }
    }

    private mutating func step() throws {
        let product = "P\(Int.random(in: 0..<40, using: &random))"
        let image = Int64.random(in: 1...150, using: &random)
        let (title, category, color) = (maybe(Self.titles), maybe(Self.categories), maybe(Self.colors))
        let (price, stock, weight, pose) = (
            pick(Self.prices), pick([true, false, nil]), pick(Self.weights), pick(["front", "back", "Front"])
        )
        let (state, view, key) = (
            pick(["ok", "ok", "ok", "missing"]), maybe(["main", "front", "back"]), pick(["weight", "pose", "rare"])
        )
        let kind = Int.random(in: 0..<10, using: &random)
        try store.write { db in
            switch kind {
            case 0, 1:
                try db.execute(
                    sql: """
                        INSERT INTO products (id, title, category, price, in_stock) VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT DO UPDATE SET title = excluded.title, category = excluded.category, price = excluded.price,
                            in_stock = excluded.in_stock
                        """, arguments: [product, title, category, price, stock])
            case 2, 3, 4:
                try db.execute(sql: "INSERT OR IGNORE INTO products (id) VALUES (?)", arguments: [product])
                try db.execute(
                    sql: """
                        INSERT INTO images (product_id, path, source, sha256, width, height, view, color, state)
                        VALUES (?, (SELECT 'p' || count(*) || hex(randomblob(8)) FROM images), 's', ?, 4, 3, ?, ?, ?)
                        """, arguments: [product, String(repeating: "a", count: 64), view, color, state])
            case 5:
                try db.execute(
                    sql: "UPDATE images SET color = ?, view = ?, state = ? WHERE id = ?", arguments: [color, view, state, image])
            case 6:
                try db.execute(
                    sql: "UPDATE images SET product_id = ? WHERE id = ? AND EXISTS (SELECT 1 FROM products WHERE id = ?)",
                    arguments: [product, image, product])
            case 7:
                let value = key == "weight" ? weight : pose
                try db.execute(
                    sql: "INSERT OR REPLACE INTO image_attributes SELECT id, ?, ? FROM images WHERE id = ?",
                    arguments: [key, value, image])
            case 8:
                let value = key == "weight" ? weight : pose
                try db.execute(
                    sql: "INSERT OR REPLACE INTO product_attributes SELECT id, ?, ? FROM products WHERE id = ?",
                    arguments: [key, value, product])
            default:
                for statement in [
                    ("DELETE FROM images WHERE id = ?", image as any DatabaseValueConvertible),
                    ("DELETE FROM products WHERE id = ?", product),
                    ("DELETE FROM image_attributes WHERE image_id = ?", image),
                    ("DELETE FROM product_attributes WHERE product_id = ?", product),
                ].shuffled().prefix(1) {
                    try db.execute(sql: statement.0, arguments: [statement.1])
                }
            }
        }
    }

    /// A filter of up to three clauses, some of which admit nothing.
    mutating func filter() -> CatalogFilter {
        var filter = CatalogFilter()
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let key = pick(["color", "category", "price", "weight", "pose", "view", "title", "in_stock", "product_id"])
            if filter.clauses.contains(where: { $0.key == key }) { continue }
            var conditions: [CatalogFilter.Condition] = []
            for _ in 0..<Int.random(in: 1...3, using: &random) { conditions.append(condition(key)) }
            filter.clauses.append(.init(key: key, anyOf: conditions))
        }
        return filter
    }

    private mutating func condition(_ key: String) -> CatalogFilter.Condition {
        if chance(key == "price" || key == "weight" ? 0.8 : 0.1) {
            let bounds = [pick([0, 0.3, 1, 16, 19.99]), pick([19.99, 52, 300, 1e15])]
            return .range(from: chance(0.2) ? nil : bounds[0], to: chance(0.2) ? nil : bounds[1])
        }
        let values =
            switch key {
            case "color": Self.colors + ["gray", "GRÜN", "gru\u{308}n"]
            case "category": Self.categories + ["men", "WOMEN/TOPS", "Women/T"]
            case "title": Self.titles
            case "weight": Self.weights
            case "in_stock": ["true", "false"]
            case "product_id": ["P1", "p2", "P39", "none"]
            case "view": ["main", "Front", "side"]
            case "price": ["52.0", "19.99"]
            default: ["front", "BACK"]
            }
        return .equals(pick(values))
    }
}
