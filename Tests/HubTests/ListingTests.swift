import Foundation
import Testing

@testable import Hub

@Suite("What a hub lists")
struct ListingTests {
    private static let commit = String(repeating: "0a", count: 20)

    private func listing(_ siblings: String, _ more: String = "") throws(HubError) -> Listing {
        try Listing(
            Data("{\"sha\": \"\(Self.commit)\", \"siblings\": [\(siblings)]\(more)}".utf8), of: "a/b", from: "http://h")
    }

    private func listing(files: String...) throws -> Listing {
        try listing(files.map { "{\"rfilename\": \"\($0)\"}" }.joined(separator: ", "))
    }

    @Test("sizes, sums and git's names are read; a large file's own size counts")
    func read() throws {
        let sum = String(repeating: "ab", count: 32)
        let listing = try listing(
            """
            {"rfilename": "config.json", "size": 12, "blobId": "f00"},
            {"rfilename": "model.safetensors", "size": 5, "blobId": "f01", "lfs": {"sha256": "\(sum.uppercased())", "size": 500}},
            {"rfilename": "sub/folder/x.bin"}
            """, ", \"gated\": \"manual\", \"cardData\": {\"license\": \"other\", \"license_name\": \"own-nc\"}")
        #expect(listing.commit == Self.commit && listing.isGated && listing.licence == Licence(name: "own-nc"))
        #expect(listing["config.json"] == ListedFile(name: "config.json", size: 12, sha256: nil, blob: "f00"))
        #expect(listing["model.safetensors"] == ListedFile(name: "model.safetensors", size: 500, sha256: sum, blob: "f01"))
        #expect(listing["sub/folder/x.bin"]?.identity == nil)
    }

    @Test("a licence is told by the card, else by a tag; gates are false, true or a word")
    func words() throws {
        #expect(try listing("", ", \"tags\": [\"clip\", \"license:mit\"]").licence == Licence(name: "mit"))
        #expect(
            try listing("", ", \"cardData\": {\"license\": [\"mit\", \"cc-by-nc-4.0\"]}").licence?.forbidsCommercialUse == true)
        #expect(try listing("", ", \"cardData\": null").licence == nil)
        for (gate, expected) in [("false", false), ("true", true), ("\"auto\"", true), ("null", false)] {
            #expect(try listing("", ", \"gated\": \(gate)").isGated == expected)
        }
    }

    @Test(
        "a hub that names a file outside the model's folder is refused as a whole",
        arguments: ["../x", "/etc/passwd", "a/../b", "a//b", "a/./b", "", ".", "a\\\\b", "a\\u0000b", "a\\nb", "a/"])
    func odd(name: String) {
        #expect {
            try listing(files: "config.json", name)
        } throws: { if case .oddFileName? = $0 as? HubError { true } else { false } }
    }

    @Test(
        "an answer that is no listing is refused in words",
        arguments: [
            ("", "not well formed"), ("[]", "of another kind"), ("{}", "sha is missing"),
            ("{\"sha\": \"x\", \"siblings\": []}", "40 hexadecimal"),
            ("{\"sha\": \"SHA\", \"siblings\": [{\"rfilename\": \"a\"}, {\"rfilename\": \"a\"}]}", "twice"),
            ("{\"sha\": \"SHA\", \"siblings\": [{\"rfilename\": \"a\", \"size\": -1}]}", "size"),
            ("{\"sha\": \"SHA\", \"siblings\": [{\"rfilename\": \"a\", \"lfs\": {\"sha256\": \"12\"}}]}", "SHA-256"),
            ("<html>", "not well formed"),
        ])
    func broken(json: String, says: String) {
        #expect {
            _ = try Listing(Data(json.replacing("SHA", with: Self.commit).utf8), of: "a/b", from: "http://h")
        } throws: { "\($0)".contains(says) }
    }

    @Test("of what a repository holds the reader's first kind is taken, with its first weights and its first whole vocabulary")
    func chosen() throws {
        func names(_ files: String...) throws -> [String]? {
            let listing = try listing(files.map { "{\"rfilename\": \"\($0)\"}" }.joined(separator: ", "))
            return FolderLayout.chosen(of: Bench.layouts, in: listing)?.files.map(\.name)
        }
        // What OpenAI's repositories hold.
        #expect(
            try names(
                "README.md", "config.json", "flax_model.msgpack", "merges.txt", "preprocessor_config.json", "pytorch_model.bin",
                "special_tokens_map.json", "tf_model.h5", "tokenizer.json", "tokenizer_config.json", "vocab.json")
                == ["config.json", "preprocessor_config.json", "vocab.json", "merges.txt", "pytorch_model.bin"])
        // Laion's hold both kinds.
        #expect(
            try names(
                "config.json", "merges.txt", "model.safetensors", "open_clip_config.json", "open_clip_model.safetensors",
                "open_clip_pytorch_model.bin", "preprocessor_config.json", "pytorch_model.bin", "tokenizer.json", "vocab.json")
                == ["open_clip_config.json", "vocab.json", "merges.txt", "open_clip_model.safetensors"])
        // A configuration without weights of its kind does not count.
        #expect(
            try names("open_clip_config.json", "config.json", "model.safetensors", "vocab.json", "tokenizer.json")
                == ["config.json", "tokenizer.json", "model.safetensors"])
        #expect(
            try names("config.json", "pytorch_model.bin", "model.safetensors.index.json", "stylefinder.json")
                == ["config.json", "stylefinder.json", "model.safetensors.index.json"])
        #expect(try names("model.safetensors") == nil)
        #expect(try names("config.json", "model.onnx") == nil)
        #expect(try names("sub/config.json", "sub/model.safetensors") == nil)
    }

    @Test("an index brings its shards; one that the hub does not list, or that lies elsewhere, is refused")
    func shards() throws {
        let all = try listing(files: "config.json", "a.safetensors", "b.safetensors", "c/d.safetensors")
        func shards(_ json: String) throws -> [String] {
            try FolderLayout.shards(Data(json.utf8), named: "x.index.json", in: all, of: "a/b").map(\.name)
        }
        #expect(
            try shards("{\"weight_map\": {\"x\": \"b.safetensors\", \"y\": \"a.safetensors\", \"z\": \"b.safetensors\"}}")
                == ["a.safetensors", "b.safetensors"])
        for json in [
            "{}", "{\"weight_map\": {}}", "{\"weight_map\": {\"x\": 1}}", "{\"weight_map\": {\"x\": \"e.safetensors\"}}",
            "{\"weight_map\": {\"x\": \"../a.safetensors\"}}", "{\"weight_map\": {\"x\": \"c/d.safetensors\"}}",
            "{\"weight_map\": {\"x\": \".config\"}}", "nothing",
        ] { #expect(throws: HubError.self) { try shards(json) } }
    }
}

@Suite("Another try")
struct PersistenceTests {
    private func status(_ number: Int, _ headers: [String: String] = [:]) -> Trouble {
        .status(HTTPHead(status: number, headers: headers), said: "", url: URL(fileURLWithPath: "/"))
    }

    private func run(
        _ troubles: [Trouble], progress: [Int] = [], limit: Int = Persistence.limit
    ) -> (pauses: [Duration], tries: Int, result: Result<Void, any Error>) {
        var (pauses, tries): ([Duration], Int) = ([], 0)
        let persistence = Persistence(pause: { pauses.append($0) }, tell: { _ in })
        let result = Result {
            try persistence.run(
                "it", limit: limit, progress: { tries == 0 || progress.isEmpty ? 0 : progress[min(tries, progress.count) - 1] }
            ) {
                tries += 1
                if tries <= troubles.count { throw troubles[tries - 1] }
            }
        }
        return (pauses, tries, result)
    }

    @Test("pauses double, a quarter more or less, and the sixth failure in a row is the last")
    func doubling() throws {
        let cut = Trouble.connection("cut")
        let ended = run(Array(repeating: cut, count: 9))
        #expect(ended.tries == 6 && ended.pauses.count == 5)
        for (pause, expected) in zip(ended.pauses, [1.0, 2, 4, 8, 16]) {
            #expect((expected * 0.75...expected * 1.25).contains(pause / .seconds(1)))
        }
        #expect(throws: HubError.gaveUp(what: "it", reason: "cut", tries: 6, kept: nil)) { try ended.result.get() }
        let good = run(Array(repeating: cut, count: 5))
        #expect(good.tries == 6 && (try? good.result.get()) != nil)
    }

    @Test("who gets on by a megabyte may fail more often, who gets on by less may not")
    func progress() {
        let cut = Trouble.connection("cut")
        #expect(run(Array(repeating: cut, count: 20), progress: (1...20).map { $0 * 1_000_000 }).tries == 21)
        #expect(run(Array(repeating: cut, count: 20), progress: (1...20).map { $0 * 1_000 }).tries == 6)
        // Going back and forth is no progress.
        #expect(run(Array(repeating: cut, count: 20), progress: (1...20).map { $0 % 2 * 1_000_000 }).tries == 6)
    }

    @Test("what will not pass is not tried again; what a server asks to wait is waited, within bounds")
    func answers() {
        for number in [400, 401, 403, 404, 410, 416] { #expect(run([status(number)]).tries == 1) }
        for number in [408, 429, 500, 502, 503, 504] { #expect(run([status(number)]).tries == 2) }
        #expect(run([.permanent("no")]).tries == 1)
        #expect(run([status(429, ["retry-after": "42"])]).pauses == [.seconds(42)])
        let long = run([status(429, ["retry-after": "3600"])])
        #expect(long.pauses.isEmpty)
        #expect { try long.result.get() } throws: { "\($0)".contains("3600 s") }
    }

    @Test("a wait is seconds or a date")
    func retryAfter() {
        func wait(_ text: String) -> Duration? {
            HTTPHead(status: 429, headers: ["retry-after": text]).retryAfter(now: Date(timeIntervalSince1970: 1_445_412_480 - 60))
        }
        #expect(wait("7") == .seconds(7) && wait(" 0 ") == .zero)
        #expect(wait("Wed, 21 Oct 2015 07:28:00 GMT") == .seconds(60))
        #expect(wait("Tue, 20 Oct 2015 07:28:00 GMT") == .zero)
        #expect(wait("soon") == nil && wait("-5") == nil)
    }

    @Test("heads say where a range begins, how long a body is, and which tags are strong")
    func heads() {
        func head(_ headers: [String: String]) -> HTTPHead { HTTPHead(status: 206, headers: headers) }
        let range = head(["content-range": "bytes 5-9/10"]).range
        #expect(range?.start == 5 && range?.size == 10)
        let open = head(["content-range": "bytes 5-9/*"]).range
        #expect(open?.start == 5 && open?.size == nil)
        #expect(head(["content-range": "bytes */10"]).range == nil && head([:]).range == nil)
        #expect(head(["content-length": "12"]).length == 12 && head(["content-length": "-1"]).length == nil)
        #expect(head(["etag": "\"a\""]).strongTag == "\"a\"" && head(["etag": "W/\"a\""]).strongTag == nil)
    }
}
