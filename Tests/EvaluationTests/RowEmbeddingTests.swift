import Catalog
import CLIP
import Foundation
import Imaging
import Retrieval
import Synchronization
import Testing

@testable import Evaluation

@Suite("pictures as vectors")
struct RowEmbeddingTests {
    @Test("any number of threads gives bit for bit the vectors of decoding and embedding one batch after the other")
    func parallel() throws {
        let boutique = try Boutique((0..<41).map { ["product_id": "\($0)"] })
        let paths = try boutique.dataset().rows.map(\.path)
        let embedder = try SmallModel.embedder()
        var expected: [Float] = []
        for start in stride(from: 0, to: paths.count, by: 7) {
            let images = try paths[start..<min(start + 7, paths.count)].map {
                try ImageDecoder.decode(contentsOfFile: $0, limits: .ownFiles)
            }
            expected += try embedder.embed(images: images)
        }
        for workers in [1, 2, 3, 16] {
            var told: [Int] = []
            let found = try RowEmbedding(of: paths, broken: .refused, batch: 7, workers: workers).vectors(by: embedder) {
                done, _ in
                told.append(done)
            }
            #expect(found.values.map(\.bitPattern) == expected.map(\.bitPattern), "\(workers) workers")
            #expect(found.kept == Array(0..<41) && found.unreadable.isEmpty && found.dimension == embedder.embeddingSize)
            #expect(told == [7, 14, 21, 28, 35, 41])
        }
        #expect(try RowEmbedding(of: [], broken: .refused).vectors(by: embedder).values.isEmpty)
    }

    @Test("colour histograms are those of one picture after the other")
    func histograms() throws {
        let boutique = try Boutique((0..<9).map { ["product_id": "\($0)"] })
        let paths = try boutique.dataset().rows.map(\.path)
        let expected = try paths.flatMap { path in
            let image = try ImageDecoder.decode(contentsOfFile: path).paddedToSquare(red: 255, green: 255, blue: 255)
                .squashed(224, filter: .bicubic)
            return try ColorHistogram.vector(rgb: image.pixels, width: 224, height: 224)
        }
        let found = try RowEmbedding(of: paths, broken: .refused, batch: 4).colorHistograms()
        #expect(found.values == expected && found.dimension == ColorHistogram.dimension)
    }

    @Test("a picture that can't be read is left out and named, or ends the work, as is asked")
    func broken() throws {
        let boutique = try Boutique((0..<12).map { ["product_id": "\($0)"] })
        let paths = try boutique.dataset().rows.map(\.path)
        try Data("no picture".utf8).write(to: URL(filePath: paths[4]))
        try FileManager.default.removeItem(atPath: paths[11])
        let embedder = try SmallModel.embedder()
        let whole = try RowEmbedding(of: [4, 11].reduce(into: paths) { $0[$1] = paths[0] }, broken: .refused, batch: 1).vectors(
            by: embedder)
        let found = try RowEmbedding(of: paths, broken: .leftOut, batch: 1, workers: 3).vectors(by: embedder)
        #expect(found.kept == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10])
        #expect(found.unreadable.map(\.place) == [4, 11])
        #expect(found.unreadable.allSatisfy { "\($0.error)".hasPrefix(paths[$0.place]) })
        let size = embedder.embeddingSize
        #expect(found.values == found.kept.flatMap { whole.values[$0 * size..<($0 + 1) * size] })
        #expect {
            try RowEmbedding(of: paths, broken: .refused, batch: 5).vectors(by: embedder)
        } throws: { error in
            guard case ImageError.inFile(let path, _) = error else { return false }
            return path == paths[4]
        }
    }

    @Test("no more pictures than the window are ahead of whoever takes them, and none are begun once nobody takes any")
    func bounded() throws {
        let boutique = try Boutique((0..<60).map { ["product_id": "\($0)"] })
        let paths = try boutique.dataset().rows.map(\.path)
        let made = Mutex(0)
        try PicturesAhead.forEach(paths, batch: 4, workers: 3) { image throws(ImageError) in
            made.withLock { $0 += 1 }
            return image.width
        } take: { range, results in
            #expect(results.count == range.count)
            // Taken are all before the range's end; the window is two batches and a picture for each thread.
            #expect(made.withLock { $0 } <= range.upperBound + 2 * 4 + 3)
            #expect(results.map { try? $0.get() } == range.map { 30 + $0 % 7 })
        }
        #expect(made.withLock { $0 } == 60)

        struct Enough: Error {}
        made.withLock { $0 = 0 }
        #expect(throws: Enough.self) {
            try PicturesAhead.forEach(paths, batch: 4, workers: 3) { image throws(ImageError) in
                made.withLock { $0 += 1 }
                return image.width
            } take: { _, _ in
                throw Enough()
            }
        }
        #expect(made.withLock { $0 } <= 4 + 2 * 4 + 3)
    }
}
