import CLIP
import Foundation
import Imaging
import Testing
import Torch

@Suite("SquarePictures")
struct SquarePicturesTests {
    /// Every byte in every channel, in no simple order.
    private static func pictures(side: Int, count: Int) throws -> [RGBImage] {
        try (0..<count).map { number in
            let pixels = (0..<3 * side * side).map { UInt8(truncatingIfNeeded: ($0 &* 167) ^ ($0 >> 8) &+ number &* 31) }
            return try RGBImage(width: side, height: side, pixels: pixels)
        }
    }

    @Test(
        "what a device makes of bytes is what the preprocessing makes of pictures, in every bit",
        arguments: [
            Preprocessing(side: 32), Preprocessing(side: 32, mean: Preprocessing.halves, deviation: Preprocessing.halves),
            Preprocessing(side: 32, fitting: .squash, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225]),
        ])
    func bits(_ preprocessing: Preprocessing) throws {
        let pictures = try Self.pictures(side: 32, count: 3)
        let squares = SquarePictures(pictures, preprocessing)
        #expect(squares.count == 3 && squares.bytes.count == 3 * 3 * 32 * 32)
        let tensor = try squares.tensor(on: .cpu)
        #expect(tensor.shape == [3, 3, 32, 32])
        #expect(try tensor.floats() == preprocessing.pixels(of: pictures))
    }

    @Test("no picture is no vector")
    func none() throws {
        #expect(SquarePictures([], Preprocessing(side: 8)).count == 0)
    }

    /// Of trained models: the goldens' weights are drawn so that every small difference shows.
    @Test(
        "vectors made in bfloat16 are near those in float32 and not the same", arguments: ["small-vit", "small-resnet"])
    func precision(_ name: String) throws {
        // Tests/CLIPTests/SquarePicturesTests.swift: three levels below the package.
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let checkpoint = try Checkpoint(path: package.appending(path: "Models/\(name)").path)
        let pictures = try #require(GoldenModel.reduced.first).pictures()
        let exact = try Embedder(checkpoint: checkpoint).embed(images: pictures)
        let rough = try Embedder(checkpoint: checkpoint, precision: .bfloat16).embed(images: pictures)
        #expect(exact.count == rough.count && exact != rough)
        let size = checkpoint.configuration.embeddingSize
        for row in pictures.indices {
            let cosine = (row * size..<(row + 1) * size).reduce(0) { $0 + Double(exact[$1]) * Double(rough[$1]) }
            #expect(cosine > 0.999, "\(cosine)")
        }
    }
}
