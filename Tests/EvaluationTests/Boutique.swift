import Catalog
import CLIP
import Foundation
import Imaging

/// A dataset of a few drawn pictures in a folder of its own, gone with the object.
final class Boutique {
    let path: String

    /// - Parameter rows: their columns; the picture of row i is `i.png`, unless the row names one.
    init(_ rows: [[String: String]]) throws {
        path =
            FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(path: "evaluation-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        var lines = ""
        for (number, row) in rows.enumerated() {
            let image = row["image"] ?? "\(number).png"
            let file = URL(filePath: "\(path)/\(image)")
            if !FileManager.default.fileExists(atPath: file.path) {
                try Data(ImageEncoder.png(Self.picture(number))).write(to: file)
            }
            lines += String(decoding: try JSONEncoder().encode(row.merging(["image": image]) { $1 }), as: UTF8.self) + "\n"
        }
        try Data(lines.utf8).write(to: URL(filePath: "\(path)/manifest.jsonl"))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func dataset() throws -> Dataset { try Dataset(contentsOf: URL(filePath: path)) }

    /// A picture of its own for every number.
    static func picture(_ number: Int) throws -> RGBImage {
        let (width, height) = (30 + number % 7, 40 - number % 5)
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                pixels += [number * 61 + x * 3, number * 23 + y * 5, number * 91 + x * y].map { UInt8($0 % 256) }
            }
        }
        return try RGBImage(width: width, height: height, pixels: pixels)
    }

    /// Twelve garments in two colours and views, eight of them to ask with: 32 pictures.
    static func garments() throws -> Boutique {
        try Boutique(
            (0..<12).flatMap { garment in
                (0..<4).map { picture in
                    let color = ["red", "blue"][picture % 2]
                    let kind = ["Women/Dresses", "Men/Shirts", "Women/Coats"][garment % 3]
                    return [
                        "product_id": "G\(garment)", "color": color, "view": picture < 2 ? "front" : "back", "category": kind,
                        "split": picture < 2 ? "gallery" : garment < 8 ? "query" : "gallery",
                        "caption": "a \(color) \(kind.split(separator: "/")[1].lowercased())",
                    ]
                }
            })
    }
}

/// A small model of random weights, which the tests of CLIP have as a fixture.
enum SmallModel {
    static let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "CLIPTests/Fixtures/models/vit-quickgelu-f16").path

    static func embedder() throws -> Embedder { try Embedder(checkpoint: Checkpoint(path: path)) }
}

/// SplitMix64: the same numbers in every run.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Unit vectors with four entries of ±1/2: their products are exact, and tie often.
func tyingVectors(_ count: Int, dimension: Int, seed: UInt64) -> [Float] {
    var numbers = SeededNumbers(state: seed)
    return (0..<count).flatMap { _ -> [Float] in
        var vector = [Float](repeating: 0, count: dimension)
        for place in Array(0..<dimension).shuffled(using: &numbers).prefix(4) {
            vector[place] = Bool.random(using: &numbers) ? 0.5 : -0.5
        }
        return vector
    }
}
