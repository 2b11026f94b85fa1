import Foundation
import Testing

@testable import Hub

@Suite("Names of models")
struct NameTests {
    @Test(
        "a name is one of the list, a repository with or without a revision, a page of the hub, or an address of weights",
        arguments: [
            ("fashion-clip", "patrickjohncyh/fashion-clip"), ("Fashion-CLIP", "patrickjohncyh/fashion-clip"),
            ("openai/clip-vit-base-patch32", "openai/clip-vit-base-patch32"), ("a/b@v1", "a/b@v1"), ("a/b@main", "a/b"),
            ("a/b@refs/pr/1", "a/b@refs/pr/1"), ("timm/resnet50_clip.openai", "timm/resnet50_clip.openai"),
            ("https://hub.test/a/b", "a/b"), ("https://hub.test/a/b/tree/v1", "a/b@v1"),
            ("https://hub.test/a/b/resolve/main/model.safetensors", "https://hub.test/a/b/resolve/main/model.safetensors"),
            ("http://x.test/RN50.pt", "http://x.test/RN50.pt"),
        ])
    func read(text: String, expected: String) throws {
        let source = try ModelSource(text, endpoint: URL(string: "https://hub.test"))
        #expect(source.description == expected)
    }

    @Test(
        "a name that leads out of a folder, or that no hub gives, is refused",
        arguments: [
            "", "a", "a/", "/b", "a/b/c", "../b", "a/..", "a/b@", "a/b@../x", "a/b@/x", "a/b@x//y", "a/b@-x", ".a/b", "a/b.",
            "a--x/b",
            "a/b c", "a/b\n", "a/ü", "https://x.test/page.html", "https://x.test/", "ftp://x.test/RN50.pt", "file:///RN50.pt",
            "https://user:secret@x.test/RN50.pt", "https://x.test/.pt",
        ])
    func refused(text: String) {
        #expect(throws: HubError.self) { try ModelSource(text) }
    }

    @Test("a revision beside the name goes with it; two different ones are refused")
    func revisions() throws {
        #expect(try ModelSource("a/b", revision: "v1").description == "a/b@v1")
        #expect(try ModelSource("fashion-clip", revision: "v1").description == "patrickjohncyh/fashion-clip@v1")
        #expect(try ModelSource("a/b@v1", revision: "v1").description == "a/b@v1")
        #expect(throws: HubError.self) { try ModelSource("a/b@v1", revision: "v2") }
        #expect(throws: HubError.self) { try ModelSource("http://x.test/RN50.pt", revision: "v2") }
    }

    @Test("the list's names are read as names of the list, and each leads to a repository of its own")
    func list() throws {
        #expect(KnownModel.all.count == 10)
        #expect(Set(KnownModel.all.map(\.name)).count == 10 && Set(KnownModel.all.map(\.repository)).count == 10)
        for known in KnownModel.all { #expect(try ModelSource(known.name) == .repository(known.repository)) }
    }

    @Test("the distance of two words is the number of letters to put in, leave out or exchange")
    func distance() {
        for (first, second, expected) in [
            ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("abc", "abc", 0),
        ] { #expect(KnownModel.distance(Array(first), Array(second)) == expected) }
    }

    @Test("a misspelt name is told the nearest ones, a foreign one none")
    func near() {
        #expect(KnownModel.near("fashon-clip").first == "fashion-clip")
        #expect(KnownModel.near("openai-vit-b32").first == "openai-vit-b-32")
        #expect(KnownModel.near("openai/clip-vit-base-patch32x").first == "openai/clip-vit-base-patch32")
        #expect(KnownModel.near("entirely/different-and-long").isEmpty)
        #expect("\(HubError.badName("fashon-clip", near: ["fashion-clip"]))".contains("did you mean fashion-clip?"))
    }

    @Test(
        "licences that leave out commercial use are known by their names",
        arguments: [
            ("mit", false), ("apache-2.0", false), ("cc-by-4.0", false), ("cc-by-sa-4.0", false), ("other", false),
            ("ncsa", false),
            ("cc-by-nc-4.0", true), ("CC-BY-NC-SA-4.0", true), ("Some Non-Commercial License", true), ("research only", true),
            ("apple-amlr", true),
        ])
    func licences(name: String, forbids: Bool) {
        #expect(Licence(name: name).forbidsCommercialUse == forbids)
    }

    @Test(
        "sizes have three digits",
        arguments: [
            (0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (1_234, "1.23 kB"), (605_157_884, "605 MB"),
            (1_710_540_580, "1.71 GB"),
            (99_960_000, "100 MB"), (999_600_000, "1.0 GB"),
        ])
    func sizes(count: Int, text: String) { #expect(Bytes.text(count) == text) }
}

@Suite("What the environment says")
struct SettingsTests {
    private func settings(_ environment: [String: String], files: [String: String] = [:]) throws -> HubSettings {
        try HubSettings(environment: environment, contents: { files[$0].map { Data($0.utf8) } })
    }

    @Test("the hub's address loses its slash, and one that is none is refused")
    func endpoints() throws {
        #expect(try settings(["HF_ENDPOINT": "http://127.0.0.1:9/"]).endpoint.absoluteString == "http://127.0.0.1:9")
        #expect(try settings(["HF_ENDPOINT": "https://mirror.test/hub//"]).endpoint.absoluteString == "https://mirror.test/hub")
        #expect(try settings(["HF_ENDPOINT": " "]).endpoint.scheme == "https")
        for text in ["mirror", "ftp://x", "http://", "https://a:b@x", "https://x?a=1"] {
            #expect(throws: HubError.self) { try settings(["HF_ENDPOINT": text]) }
        }
    }

    @Test("a token comes from HF_TOKEN, else its older name, else the file of the hub's own program")
    func tokens() throws {
        let home = ["HOME": "/home/x"]
        let files = ["/home/x/.cache/huggingface/token": "from-file\n", "/else/token": "elsewhere"]
        #expect(try settings(home).token == nil)
        #expect(try settings(home, files: files).token?.value == "from-file")
        #expect(try settings(home, files: files).token?.origin == "/home/x/.cache/huggingface/token")
        #expect(try settings(home.merging(["HF_HOME": "/else"]) { $1 }, files: files).token?.value == "elsewhere")
        let both = home.merging(["HUGGING_FACE_HUB_TOKEN": "old", "HF_TOKEN": " new "]) { $1 }
        #expect(try settings(both, files: files).token?.value == "new")
        #expect(try settings(home.merging(["HUGGING_FACE_HUB_TOKEN": "old"]) { $1 }, files: files).token?.value == "old")
        #expect(throws: HubError.badToken(origin: "HF_TOKEN")) { try settings(["HF_TOKEN": "a\r\nX-Else: b"]) }
    }

    @Test("proxies are taken by the address's scheme, the small letters first")
    func proxies() throws {
        let set = try settings([
            "HTTP_PROXY": "http://big", "http_proxy": "http://small", "ALL_PROXY": "http://all", "NO_PROXY": "a,b",
        ])
        let (plain, secure) = try (#require(URL(string: "http://x")), #require(URL(string: "https://x")))
        #expect(set.proxy(for: plain) == "http://small" && set.proxy(for: secure) == "http://all" && set.withoutProxy == "a,b")
        #expect(try settings([:]).proxy(for: secure) == nil)
    }

    @Test("addresses hold a branch's slash and a file's odd letters as one part")
    func addresses() throws {
        let set = try settings(["HF_ENDPOINT": "http://h"])
        let repository = try Repository(owner: "a", name: "b", revision: "refs/pr/1")
        #expect(try set.listing(repository).absoluteString == "http://h/api/models/a/b/revision/refs%2Fpr%2F1?blobs=true")
        #expect(try set.file("x y?#.bin", of: repository, at: "c0").absoluteString == "http://h/a/b/resolve/c0/x%20y%3F%23.bin")
    }

    @Test("models are kept in the user's cache, by the standard's variables")
    func places() throws {
        #expect(FetchedModels(environment: ["HOME": "/h"])?.folder == "/h/.cache/stylefinder/models")
        #expect(FetchedModels(environment: ["HOME": "/h", "XDG_CACHE_HOME": "/c"])?.folder == "/c/stylefinder/models")
        #expect(FetchedModels(environment: ["HOME": "/h", "XDG_CACHE_HOME": "c"])?.folder == "/h/.cache/stylefinder/models")
        #expect(FetchedModels(environment: [:]) == nil)
        let store = FetchedModels(folder: "/m")
        #expect(store.place(for: try ModelSource("a/b@refs/pr/1")) == "/m/a--b@refs--pr--1")
        #expect(store.place(for: try ModelSource("http://x/RN50.pt")) != store.place(for: try ModelSource("http://y/RN50.pt")))
    }
}
