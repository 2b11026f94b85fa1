import Catalog
import Foundation
import Synchronization

/// A folder that goes away with the object, and what tests put into it.
final class TestFolder: Sendable {
    let path: String
    var url: URL { URL(fileURLWithPath: path) }
    var catalogPath: String { path + ".db" }

    init() throws {
        let made = FileManager.default.temporaryDirectory.appendingPathComponent("catalog-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true)
        path = made.path
    }

    deinit {
        for name in [path, catalogPath, catalogPath + "-wal", catalogPath + "-shm"] {
            try? FileManager.default.removeItem(atPath: name)
        }
    }

    /// The path without symbolic links, as a catalogue keeps it.
    var realPath: String { url.resolvingSymlinksInPath().path }

    func file(_ name: String) -> String { path + "/" + name }

    @discardableResult
    func write(_ name: String, _ content: String) throws -> URL { try write(name, Data(content.utf8)) }

    @discardableResult
    func write(_ name: String, _ content: Data) throws -> URL {
        let url = URL(fileURLWithPath: file(name))
        // Folders are made where they are missing only: thousands of files go into one.
        do { try content.write(to: url) } catch {
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try content.write(to: url)
        }
        return url
    }

    func move(_ from: String, to: String) throws {
        let target = URL(fileURLWithPath: file(to))
        try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: file(from), toPath: target.path)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

    /// Writes a picture as `TestPicture` reads it.
    func picture(_ name: String, _ text: String? = nil) throws { try write(name, "picture 4x3 \(text ?? name)") }

    /// A data set of `products` products with `views` pictures each.
    func boutique(products: Int, views: Int) throws {
        var manifest = ""
        for product in 0..<products {
            for view in 0..<views {
                try picture("images/\(product)-\(view).jpg")
                manifest += """
                    {"image": "images/\(product)-\(view).jpg", "product_id": "P\(product)", "title": "Garment \(product)", \
                    "price": \(product), "view": "v\(view)", "material": "Wool"}\n
                    """
            }
        }
        try write("manifest.jsonl", manifest)
    }
}

/// Stands in for the decoder: a picture is a file that begins with `picture WIDTHxHEIGHT`.
enum TestPicture {
    struct NotAPicture: Error, CustomStringConvertible {
        var description: String { "it is not a picture" }
    }

    static func inspect(_ bytes: Data, _ file: URL) throws -> PictureSize {
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard words.count > 1, words[0] == "picture" else { throw NotAPicture() }
        let sides = words[1].split(separator: "x").compactMap { Int($0) }
        guard sides.count == 2 else { throw NotAPicture() }
        return PictureSize(width: sides[0], height: sides[1])
    }
}

/// Counts from any thread.
final class Counter: Sendable {
    private let state = Mutex(0)
    var value: Int { state.withLock { $0 } }
    @discardableResult
    func increment() -> Int {
        state.withLock {
            $0 += 1
            return $0
        }
    }
}

/// The photos that the whole project's tests may use where they lie beside the checkout.
enum RealPhotos {
    static let folder: String =
        ProcessInfo.processInfo.environment["STYLEFINDER_DATA"]
        ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../shared/data")
        .standardizedFileURL.path
    static let present = FileManager.default.fileExists(atPath: folder + "/studio-catalog/manifest.jsonl")
}

extension CatalogStore {
    /// Everything but ids and times: two catalogues with equal content are the same to a user.
    func content() throws -> [String] {
        let products = try products().map {
            "\($0.id) \($0.title ?? "-") \($0.price ?? -1) \($0.attributes.sorted { $0.key < $1.key })"
        }
        let images = try images().map {
            "\($0.productID) \($0.path) \($0.contentHash?.hex ?? "-") \($0.view ?? "-") \($0.attributes.sorted { $0.key < $1.key }) \($0.state)"
        }
        return (products + images).sorted()
    }
}
