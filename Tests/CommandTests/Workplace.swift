import Catalog
import CLIP
import Foundation
import Imaging
import TensorFiles
import Testing

/// A folder for one test, with the means to fill it. It goes away with the object.
final class Workplace: Sendable {
    let path: String

    init() throws {
        let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(
            path: "stylefinder-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A path in the folder.
    func callAsFunction(_ name: String) -> String { path + "/" + name }

    @discardableResult
    func write(_ name: String, _ content: Data) throws -> String {
        let file = URL(fileURLWithPath: self(name))
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try content.write(to: file)
        return file.path
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)) }

    func makeFolder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: self(name), withIntermediateDirectories: true)
        return self(name)
    }

    @discardableResult
    func picture(_ name: String, _ number: Int, width: Int = 44, height: Int = 52) throws -> String {
        try write(name, Self.png(number, width: width, height: height))
    }

    /// A picture that differs from that of every other number below 1000 in colours and shape.
    static func png(_ number: Int, width: Int, height: Int) throws -> Data {
        var numbers = SeededNumbers(UInt64(number) + 1)
        let colors = (0..<3).map { _ in (0..<3).map { _ in UInt8.random(in: 0...255, using: &numbers) } }
        let (middle, edge) = (Int.random(in: 1..<height, using: &numbers), Int.random(in: 1..<width, using: &numbers))
        var pixels: [UInt8] = []
        pixels.reserveCapacity(width * height * 3)
        for y in 0..<height {
            for x in 0..<width { pixels.append(contentsOf: colors[y < middle ? 0 : x < edge ? 1 : 2]) }
        }
        return Data(try ImageEncoder.png(RGBImage(width: width, height: height, pixels: pixels)))
    }

    /// Pictures in two category folders, `pictures/dresses/000.png` and so on.
    @discardableResult
    func boutique(_ count: Int) throws -> String {
        for number in 0..<count { try picture(Self.name(number), number) }
        return self("pictures")
    }

    static func name(_ number: Int) -> String {
        "pictures/\(number % 2 == 0 ? "dresses" : "shirts")/\(String(format: "%03d", number)).png"
    }

    /// A data folder of garments with two views each, one to ask with and one to be found.
    @discardableResult
    func dataset(_ garments: Int, name: String = "data", splits: [String] = ["query", "gallery"]) throws -> String {
        var manifest = ""
        for garment in 0..<garments {
            for (view, split) in splits.enumerated() {
                let file = "images/\(garment)-\(view).png"
                // The second view is the first one, a little larger.
                try picture("\(name)/\(file)", garment, width: 44 + 4 * view, height: 52 + 4 * view)
                manifest += """
                    {"image": "\(file)", "product_id": "G\(garment)", "title": "Garment \(garment)", "price": \(garment + 1), \
                    "view": "\(view == 0 ? "front" : "back")", "split": "\(split)", "category": "\(garment % 2 == 0 ? "dress" : "shirt")"}\n
                    """
            }
        }
        try write("\(name)/manifest.jsonl", manifest)
        return self(name)
    }

    /// A copy of the reduced model whose tensors are changed.
    func model(_ name: String, changing change: (inout [String: (shape: [Int], floats: [Float])]) throws -> Void) throws -> String
    {
        let folder = try makeFolder(name)
        for file in ["config.json", "preprocessor_config.json", "vocab.json", "merges.txt"] {
            try FileManager.default.copyItem(atPath: "\(ReducedModel.path)/\(file)", toPath: "\(folder)/\(file)")
        }
        let file = try SafetensorsFile(path: "\(ReducedModel.path)/model.safetensors")
        var tensors: [String: (shape: [Int], floats: [Float])] = [:]
        for (name, tensor) in file.tensors where tensor.type.isFloatingPoint {
            tensors[name] = (tensor.shape, try file.floats(name))
        }
        try change(&tensors)
        try SafetensorsWriter.write(
            tensors.sorted { $0.key < $1.key }.map {
                TensorToWrite(name: $0.key, floats: $0.value.floats, shape: $0.value.shape)
            },
            metadata: ["format": "pt"], to: "\(folder)/model.safetensors")
        return folder
    }

    /// A file of vectors as somebody else may have it, of the kind that its name says, without any check.
    /// - Parameter shape: that of `floats`, else one row for each name.
    func vectors(_ file: String, _ names: [String], _ floats: [Float], shape: [Int]? = nil, fingerprint: String? = nil) throws
        -> String
    {
        let shape = shape ?? [names.count, names.isEmpty ? 64 : floats.count / names.count]
        let features = TensorToWrite(name: "features", floats: floats, shape: shape)
        if file.hasSuffix(".pt") {
            var values: CheckpointDictionary = ["image_paths": .list(names.map { .text($0) })]
            values["fingerprint"] = fingerprint.map { .text($0) }
            try TorchCheckpointWriter.write([features], values: values, to: self(file))
        } else {
            var metadata = ["image_paths": String(decoding: try JSONEncoder().encode(names), as: UTF8.self)]
            metadata["fingerprint"] = fingerprint
            try SafetensorsWriter.write([features], metadata: metadata, to: self(file))
        }
        return self(file)
    }

    /// Opens a catalogue of this folder for a look and closes it again.
    func look<Value>(_ name: String, _ body: (CatalogStore) throws -> Value) throws -> Value {
        let store = try CatalogStore(path: self(name), mode: .readOnly)
        defer { try? store.close() }
        return try body(store)
    }
}

/// Model folders that the reference libraries wrote: small enough for every test run.
enum ReducedModel {
    static let folder = Command.package + "/Tests/CLIPTests/Fixtures/models"
    static let path = folder + "/vit-quickgelu-f16"
    static let other = folder + "/vit-gelu-bf16"
    static let resNet = folder + "/resnet-f32"
    /// That of the model at `path`; empty where it can't be opened, which is then a failure of its own.
    static let fingerprint = (try? Checkpoint(path: path).fingerprint) ?? ""
}

/// Marsaglia's xorshift64: the same numbers on every machine.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// The photos that the whole project's tests may use where they lie beside the checkout.
enum RealPhotos {
    static let folder =
        ProcessInfo.processInfo.environment["STYLEFINDER_DATA"]
        ?? URL(fileURLWithPath: Command.package).deletingLastPathComponent().path + "/shared/data"
    static let present = FileManager.default.fileExists(atPath: folder + "/studio-catalog/manifest.jsonl")
}
