// Measures filters, facets and pages over the columns of a large catalogue, beside the same questions put to SQLite.
//
//     CatalogBenchmark [IMAGES] [CATALOG.db] [FINGERPRINT DIMENSION]
//
// Makes a catalogue of IMAGES pictures (400,000 unless said), four a product, and vectors of 64 components, by writing the rows; all pictures are
// one tiny file under many names, which nobody opens. With a path the catalogue stays there, for a server under load, and the next run takes it as
// it is; else it goes away.
// A fingerprint and a dimension make the vectors those of a model that is at hand.

import BitCollections
import Catalog
import Foundation
import GRDB

let arguments = CommandLine.arguments
let count = arguments.count > 1 ? Int(arguments[1]) ?? 400_000 : 400_000
let folder = FileManager.default.temporaryDirectory.appendingPathComponent("catalog-benchmark-\(UUID().uuidString)")
let path = arguments.count > 2 ? arguments[2] : folder.path + "/catalog.db"
let model = ModelRecord(
    fingerprint: arguments.count > 4 ? arguments[3] : "benchmark", name: "benchmark",
    dimension: arguments.count > 4 ? Int(arguments[4]) ?? 64 : 64)
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }

let clock = ContinuousClock()

/// The time of one run, in milliseconds: the median of `runs`.
func median(_ runs: Int = 21, _ body: () throws -> Void) rethrows -> Double {
    let times = try (0..<runs).map { _ in try clock.measure(body) / .milliseconds(1) }
    return times.sorted()[runs / 2]
}

/// Resident memory in MB; 0 where the system does not say it this way.
func resident() -> Double {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
}

func show(_ what: String, _ value: Double, _ unit: String = "ms") {
    print(what.padding(toLength: 58, withPad: " ", startingAt: 0), String(format: "%10.2f", value), unit)
}

/// Random numbers that are the same on every run (SplitMix64).
struct Generator: RandomNumberGenerator {
    var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Writes the rows in transactions of some thousand products.
func fill(_ path: String) throws {
    try CatalogStore(path: path, mode: .create).close()
    try Data("one tiny picture".utf8).write(to: folder.appendingPathComponent("picture.png"))
    let database = try DatabaseQueue(path: path)
    var random = Generator()
    func pick(_ values: [String]) -> String { values[Int.random(in: 0..<values.count, using: &random)] }
    let colors = ["Black", "White", "Blue", "Red", "Green", "Gray", "Beige", "Brown", "Pink", "Yellow", "Orange", "Navy"]
    let kinds = [
        "Tops/Shirts", "Tops/Hoodies", "Trousers/Jeans", "Trousers/Shorts", "Coats", "Shoes/Boots", "Shoes/Sandals", "Bags",
    ]
    let hash = String(repeating: "a", count: 64)
    try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF") }
    try database.write { db in
        try db.execute(
            sql: "INSERT INTO models (fingerprint, name, dimension) VALUES (?, ?, ?)",
            arguments: [model.fingerprint, model.name, model.dimension])
    }
    var product = 0
    while product * 4 < count {
        try database.write { db in
            let products = try db.makeStatement(
                sql: """
                    INSERT INTO products (id, title, category, brand, price, currency, url, in_stock, description)
                    VALUES (?, ?, ?, ?, ?, 'EUR', ?, ?, ?)
                    """)
            let attributes = try db.makeStatement(sql: "INSERT INTO product_attributes VALUES (?, ?, ?)")
            let images = try db.makeStatement(
                sql: """
                    INSERT INTO images (product_id, path, source, sha256, size, width, height, view, color, state)
                    VALUES (?, ?, ?, ?, 16, 1, 1, ?, ?, 'ok')
                    """)
            let vectors = try db.makeStatement(sql: "INSERT INTO vectors SELECT ?, id, ? FROM models")
            for _ in 0..<5000 where product * 4 < count {
                product += 1
                let id = "P\(product)"
                let category = pick(["Women", "Men", "Kids"]) + "/" + pick(kinds)
                try products.execute(arguments: [
                    id, "Garment number \(product) of the season", category, "Brand \(Int.random(in: 1...500, using: &random))",
                    Double(Int.random(in: 500...20_000, using: &random)) / 100, "https://example.com/products/\(product)",
                    Bool.random(using: &random),
                    "A \(category) that is like \(Int.random(in: 1...1_000_000, using: &random)) others of its kind.",
                ])
                for (key, value) in [
                    ("material", pick(["Wool", "Cotton", "Silk", "Linen", "Leather"])),
                    ("fit", pick(["slim", "regular", "wide"])),
                    ("season", pick(["Summer", "Winter", "Summer|Spring", "Autumn|Winter"])),
                ] {
                    try attributes.execute(arguments: [id, key, value])
                }
                let color = pick(colors)
                for view in ["front", "back", "side", "detail"].prefix(count - (product - 1) * 4) {
                    try images.execute(arguments: [id, "\(folder.path)/\(product)-\(view).png", folder.path, hash, view, color])
                    let image = db.lastInsertedRowID
                    var vector = (0..<model.dimension).map { _ in Float.random(in: -1...1, using: &random) }
                    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    for place in vector.indices { vector[place] /= length }
                    try vectors.execute(arguments: [image, vector.withUnsafeBytes { Data($0) }])
                }
            }
        }
    }
    try database.close()
}

if !FileManager.default.fileExists(atPath: path) {
    show("making the catalogue", try clock.measure { try fill(path) } / .milliseconds(1))
}
let store = try CatalogStore(path: path, mode: .readWrite)
let before = resident()
var columns: CatalogColumns?
show("reading the columns", try clock.measure { columns = try CatalogColumns(reading: store) } / .milliseconds(1))
guard var columns else { throw CatalogError.corrupt(path: path, reason: "no columns") }
show("columns in memory, with what reading left to the allocator", resident() - before, "MB")

let expressions = ["color=Black|Blue", "category=Women", "price=20..80"]
let filter = try CatalogFilter(expressions)
for expression in expressions + ["brand=brand 7", "season=winter", "title=garment number 77 of the season"] {
    let one = try CatalogFilter([expression])
    let found = try columns.images(matching: one).count
    show("filter \(expression): \(found) images", try median { _ = try columns.images(matching: one) })
}
var found = BitSet()
let three = try median { found = try columns.images(matching: filter) }
show("filter of all three: \(found.count) images", three)
let titles = CatalogFilter(clauses: [.init(key: "title", anyOf: (1...200).map { .equals("Garment number \($0) of the season") })])
show("filter of 200 titles", try median { _ = try columns.images(matching: titles) })

let reader = try DatabaseQueue(path: path)
let question = """
    SELECT images.id FROM images JOIN products ON products.id = product_id WHERE state = 'ok' AND color IN ('Black', 'Blue')
        AND (category = 'Women' OR category LIKE 'Women/%') AND price BETWEEN 20 AND 80
    """
var rows: [Int64] = []
let asked = try median(5) { rows = try reader.read { db in try Int64.fetchAll(db, sql: question) } }
guard Set(rows.map { Int($0) }) == Set(found) else { throw CatalogError.corrupt(path: path, reason: "SQL finds others") }
show("the same three clauses by SQLite", asked)
show("speed-up", asked / three, "times")

let facets = ["category", "color", "brand", "season"]
show("page of 24 products", try median { _ = try columns.page(matching: filter, offset: 0, limit: 24) })
show("page with four facets", try median { _ = try columns.page(matching: filter, offset: 0, limit: 24, facets: facets) })
show(
    "page of everything, with four facets",
    try median { _ = try columns.page(matching: CatalogFilter(), offset: 0, limit: 24, facets: facets) })

show("looking for changes", try median { _ = try store.changePosition() })
show("catching up with nothing", try median { _ = try columns.updated(from: store) })
for _ in 0..<2 {
    try reader.write { db in
        for number in 1...20 {
            try db.execute(sql: "UPDATE products SET price = price + 1 WHERE id = ?", arguments: ["P\(number)"])
        }
    }
    show("catching up with 20 products", try clock.measure { columns = try columns.updated(from: store) } / .milliseconds(1))
}
show(
    "vectors handed out one by one",
    try clock.measure { try store.forEachVector(of: model.fingerprint) { _, _ in } } / .milliseconds(1))
