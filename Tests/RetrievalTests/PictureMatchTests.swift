import Foundation
import Retrieval
import Testing

@Suite("matching vectors to pictures")
struct PictureMatchTests {
    /// A file whose row i is the i-th of the axes.
    private func file(_ names: [String]) throws -> EmbeddingFile {
        let vectors = names.indices.flatMap { row in names.indices.map { $0 == row ? Float(1) : 0 } }
        return try EmbeddingFile(names: names, vectors: vectors, dimension: names.count)
    }

    private func pictures(_ paths: String..., in folder: String = "/shop") -> [PictureMatch.Picture] {
        paths.map { .init(path: $0, folder: folder) }
    }

    @Test(
        "a name is a path from the manifest's folder, plain or with dots, or an absolute one",
        arguments: [
            "a/1.png", "./a/1.png", "././a/1.png", "a/./1.png", "a/b/../1.png", "../shop/a/1.png", "/shop/a/1.png",
            "/shop/./a//1.png", "/shop/x/../a/1.png",
        ])
    func names(name: String) throws {
        let match = try PictureMatch(file(["a/2.png", name]), path: "f", pictures: pictures("/shop/a/1.png", "/shop/a/2.png"))
        #expect(match["/shop/a/1.png"] == [0, 1] && match["/shop/a/2.png"] == [1, 0])
        #expect(match.extra.isEmpty && match.extraRows(in: "m") == nil && !match.isEmpty)
    }

    @Test(
        "another name is no picture's",
        arguments: ["1.png", "A/1.png", "shop/a/1.png", "/a/1.png", "../a/1.png", "", "/", "a", "a/1.png/x"])
    func strangers(name: String) throws {
        let match = try PictureMatch(file([name]), path: "f.pt", pictures: pictures("/shop/a/1.png"))
        #expect(match["/shop/a/1.png"] == nil && match.extra == [0] && match.isEmpty)
        #expect(
            match.extraRows(in: "m") == "1 of the 1 rows of f.pt are of no picture in m and are ignored, the first is \(name)")
    }

    @Test("extra rows are those of no picture, whatever their number")
    func extra() throws {
        let match = try PictureMatch(
            file(["x.png", "a.png", "y.png", "/shop/b.png"]), path: "f.pt", pictures: pictures("/shop/a.png", "/shop/b.png"))
        #expect(match.extra == [0, 2] && !match.isEmpty)
        #expect(
            match.extraRows(in: "m") == "2 of the 4 rows of f.pt are of no picture in m and are ignored, the first is x.png")
    }

    @Test("rows of one picture may differ by rounding and by nothing more")
    func duplicates() throws {
        func match(_ second: [Float]) throws -> PictureMatch {
            let file = try EmbeddingFile(names: ["a.png", "./a.png"], vectors: [1, 0] + second, dimension: 2)
            return try PictureMatch(file, path: "f.pt", pictures: pictures("/shop/a.png"))
        }
        // cos and sin of 0.005 and 0.02.
        #expect(try match([0.9999875, 0.00499998])["/shop/a.png"] == [1, 0])
        let error = try #require(throws: RetrievalError.self) { _ = try match([0.99980001, 0.01999867]) }
        #expect(error == .differingVectors(path: "f.pt", image: "./a.png", first: 0, second: 1))
        #expect(
            error.description
                == "f.pt has two different vectors of ./a.png, in the rows 0 and 1 counted from 0; expected one vector for each picture."
        )
    }

    @Test("a picture that is listed twice has one row")
    func listedTwice() throws {
        let match = try PictureMatch(file(["a.png"]), path: "f", pictures: pictures("/shop/a.png", "/shop/a.png"))
        #expect(match["/shop/a.png"] == [1] && match.extra.isEmpty)
    }

    @Test("a relative name belongs to the folder it begins at, and one that fits two folders is refused")
    func folders() throws {
        let shops = pictures("/one/a.png", in: "/one") + pictures("/two/b.png", in: "/two")
        let match = try PictureMatch(file(["b.png", "a.png"]), path: "f", pictures: shops)
        #expect(match["/one/a.png"] == [0, 1] && match["/two/b.png"] == [1, 0])
        // What another folder lists lies elsewhere.
        let nested = pictures("/one/two/b.png", in: "/one") + pictures("/one/two/c.png", in: "/one/two")
        #expect(try PictureMatch(file(["b.png"]), path: "f", pictures: nested).isEmpty)
        let twins = pictures("/two/a.png", in: "/two") + pictures("/one/a.png", in: "/one")
        let error = try #require(throws: RetrievalError.self) {
            _ = try PictureMatch(file(["a.png"]), path: "f", pictures: twins)
        }
        #expect(error == .ambiguousName(path: "f", name: "a.png", first: "/one/a.png", second: "/two/a.png"))
        #expect(error.description.hasSuffix("expected absolute paths where two folders hold the same name."))
        let absolute = try PictureMatch(file(["/one/a.png", "/two/a.png"]), path: "f", pictures: twins)
        #expect(absolute["/one/a.png"] == [1, 0] && absolute["/two/a.png"] == [0, 1])
    }

    @Test("an absolute name through a link of its folder means the file behind it")
    func links() throws {
        let place = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(path: "match-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place.appending(path: "real"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        try FileManager.default.createSymbolicLink(
            at: place.appending(path: "link"), withDestinationURL: place.appending(path: "real"))
        let real = place.path + "/real/a.png"
        let match = try PictureMatch(
            file([place.path + "/link/a.png", place.path + "/link/b.png"]), path: "f",
            pictures: pictures(real, in: place.path + "/real"))
        #expect(match[real] == [1, 0] && match.extra == [1])
    }
}
