import Foundation
import Testing

@testable import Catalog

@Suite("A prepared folder")
struct PreparedFolderTests {
    private let folder: TestFolder
    private let out: String

    init() throws {
        folder = try TestFolder()
        out = folder.file("out")
    }

    private func prepared(by command: String = "prepare-inshop") throws(CatalogError) -> PreparedFolder {
        try PreparedFolder(path: out, by: command)
    }

    private func files() throws -> Set<String> {
        Set(
            try FileManager.default.subpathsOfDirectory(atPath: out).filter {
                (try? FileStatus(ofPath: out + "/" + $0))?.isRegular == true
            })
    }

    @Test(
        "nothing is written before it begins; an empty folder and one of the same command are taken, others are refused as they are"
    )
    func claims() throws {
        _ = try prepared()
        #expect(!FileManager.default.fileExists(atPath: out))
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        try prepared().begin([("source", "/a \"b\"")])
        let marker =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: out + "/prepared.json")))
            as? [String: String]
        #expect(marker == ["by": "prepare-inshop", "source": "/a \"b\""])
        _ = try prepared()
        #expect(throws: CatalogError.outputTaken(path: out, holds: "what another command prepared")) {
            try prepared(by: "prepare-street2shop")
        }
        try folder.write("mine/notes.txt", "mine")
        #expect(throws: CatalogError.outputTaken(path: folder.file("mine"), holds: "other files")) {
            try PreparedFolder(path: folder.file("mine"), by: "prepare-inshop")
        }
        #expect(throws: CatalogError.outputTaken(path: folder.file("mine/notes.txt"), holds: "a file")) {
            try PreparedFolder(path: folder.file("mine/notes.txt"), by: "prepare-inshop")
        }
    }

    @Test("what a killed run left half written is no obstacle, and pictures of it that are not wanted any more are swept")
    func killed() throws {
        try folder.write("out/manifest.jsonl.unfinished", "{")
        let first = try prepared()
        try first.begin([])
        try first.note(["train/a.jpg", "train/b.jpg"])
        try first.write(Data("a".utf8), to: "train/a.jpg")
        // Killed here. The next run puts the picture elsewhere.
        let second = try prepared()
        try second.begin([])
        try second.note(["val/deep/a.jpg"])
        try second.write(Data("a".utf8), to: "val/deep/a.jpg")
        try second.writeIfChanged("{}\n", to: "manifest.jsonl")
        try folder.write("out/train/of the user.txt", "mine")
        try second.sweep(keeping: ["val/deep/a.jpg"])
        #expect(
            try files() == [
                "prepared.json", "prepared-files.txt", "manifest.jsonl", "val/deep/a.jpg", "train/of the user.txt",
            ])
        // Folders go once they are empty.
        try folder.remove("out/train/of the user.txt")
        try second.note(["train/b.jpg"])
        try second.write(Data("b".utf8), to: "train/b.jpg")
        try second.sweep(keeping: [])
        #expect(!FileManager.default.fileExists(atPath: out + "/train") && !FileManager.default.fileExists(atPath: out + "/val"))
    }

    @Test("a picture gets a second name, a hard link; placed again it is kept, and a changed one replaces it")
    func places() throws {
        let source = try folder.write("pictures/a.jpg", "first").path
        let prepared = try prepared()
        try prepared.begin([])
        #expect(try prepared.place(source, as: "train/img/a.jpg") == .linked)
        #expect(try prepared.place(source, as: "train/img/a.jpg") == .kept)
        let (own, original) = (try FileStatus(ofPath: out + "/train/img/a.jpg"), try FileStatus(ofPath: source))
        #expect(own.inode == original.inode)
        // Another file under the old name, as an unpacked archive makes it.
        try FileManager.default.removeItem(atPath: source)
        try folder.write("pictures/a.jpg", "second")
        #expect(try String(contentsOfFile: out + "/train/img/a.jpg", encoding: .utf8) == "first")
        #expect(try prepared.place(source, as: "train/img/a.jpg") == .linked)
        #expect(try String(contentsOfFile: out + "/train/img/a.jpg", encoding: .utf8) == "second")
        // A link leads to the picture, not to itself.
        try FileManager.default.createSymbolicLink(atPath: folder.file("pictures/link.jpg"), withDestinationPath: source)
        #expect(try prepared.place(folder.file("pictures/link.jpg"), as: "val/link.jpg") == .linked)
        #expect(
            try FileManager.default.attributesOfItem(atPath: out + "/val/link.jpg")[.type] as? FileAttributeType == .typeRegular)
        #expect(try FileManager.default.contentsOfDirectory(atPath: out + "/train/img") == ["a.jpg"])
    }

    @Test(
        "on another file system a picture is copied, and kept the next time", .enabled(if: PreparedFolderTests.otherDevice != nil)
    )
    func copies() throws {
        let place = try #require(Self.otherDevice) + "/prepared-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        let source = try folder.write("a.jpg", "content").path
        let prepared = try PreparedFolder(path: place, by: "prepare-inshop")
        try prepared.begin([])
        #expect(try prepared.place(source, as: "train/a.jpg") == .copied)
        #expect(try prepared.place(source, as: "train/a.jpg") == .kept)
        try Data("changed".utf8).write(to: URL(fileURLWithPath: source))
        #expect(try prepared.place(source, as: "train/a.jpg") == .copied)
        #expect(try String(contentsOfFile: place + "/train/a.jpg", encoding: .utf8) == "changed")
    }

    /// A folder on another file system than the tests' own.
    static let otherDevice: String? = {
        guard let own = try? FileStatus(ofPath: FileManager.default.temporaryDirectory.path) else { return nil }
        return ["/dev/shm", "/run/shm", "/var/tmp"].first { path in
            guard let other = try? FileStatus(ofPath: path) else { return false }
            return other.isDirectory && other.device != own.device && FileManager.default.isWritableFile(atPath: path)
        }
    }()

    @Test("a file that says so already is left alone; one that can't be written is named with the reason")
    func writes() throws {
        let prepared = try prepared()
        try prepared.begin([])
        try prepared.writeIfChanged("a\n", to: "manifest.jsonl")
        let before = try FileStatus(ofPath: out + "/manifest.jsonl")
        try prepared.writeIfChanged("a\n", to: "manifest.jsonl")
        #expect(try FileStatus(ofPath: out + "/manifest.jsonl") == before)
        try prepared.writeIfChanged("ab\n", to: "manifest.jsonl")
        #expect(try String(contentsOfFile: out + "/manifest.jsonl", encoding: .utf8) == "ab\n")
        #expect {
            try prepared.write(Data("x".utf8), to: "manifest.jsonl/x.jpg")
        } throws: { error in
            guard case CatalogError.outputUnwritable(let path, let reason)? = error as? CatalogError else { return false }
            return path.hasSuffix("manifest.jsonl/x.jpg") && !reason.isEmpty
        }
    }

    @Test(
        "a full disk is said as such, and leaves no half file", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func full() throws {
        let prepared = try prepared()
        try prepared.begin([])
        // What is being written lies under this name: a device that is always full stands there.
        try FileManager.default.createSymbolicLink(atPath: out + "/manifest.jsonl.unfinished", withDestinationPath: "/dev/full")
        #expect(throws: CatalogError.outputFull(path: out + "/manifest.jsonl")) {
            try prepared.writeIfChanged("{}\n", to: "manifest.jsonl")
        }
        #expect(try files() == ["prepared.json"])
    }

    @Test("lines of a manifest are read as they were written, whatever stands in them")
    func lines() throws {
        let fields = [
            "split": "train", "color": "Cream \"off\" \\ white", "description": "a\tb\u{1}c/d é 漢",
            "caption": "A clothing item, nice",
            "box": "1,2,3,4", "view": "front", "category": "Women/Dresses", "empty": "",
        ]
        let line = ManifestWriter.line(image: "/data/img, a.jpg", productID: "id_1", fields: fields)
        #expect(
            line.hasPrefix(#"{"image": "/data/img, a.jpg", "product_id": "id_1", "split": "train", "view": "front", "#)
                && line.hasSuffix("}\n"))
        try folder.write("set/manifest.jsonl", line)
        let row = try #require(try Dataset(contentsOf: folder.url.appendingPathComponent("set")).rows.first)
        #expect(row.path == "/data/img, a.jpg" && row.productID == "id_1")
        #expect(row.fields == fields.filter { $0.key != "empty" })
    }

    @Test("the paper's layout lists every picture with a split under the names that the original scripts use")
    func layout() throws {
        try InShopFiles().write(to: folder)
        var set = try OfficialSet.inShop(root: folder.file("root")).set
        set.rows[6].fields["split"] = nil
        let layout = PaperLayout(set)
        func object(_ text: String) throws -> NSDictionary {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
        }
        #expect(layout.pictures.count == 7 && layout.pictures[3].name == "query/img/MEN/Jackets_Vests/id_00000002/01_2_side.jpg")
        let paths = try object(layout.paths)
        #expect(paths.count == 7)
        #expect(
            paths["img/MEN/Jackets_Vests/id_00000002/01_2_side.jpg"] as? [String: String] == [
                "item_id": "id_00000002", "split": "query",
            ])
        #expect(try object(layout.texts)["img/WOMEN/Tees_Tanks/id_00000003/01_1_front.jpg"] as? String == "A photo of tees tanks")
        let lists = try #require(try object(layout.lists) as? [String: [String]])
        #expect(Set(lists.keys) == ["train", "val", "query", "gallery"] && lists["val"] == [])
        #expect(lists["gallery"]?.count == 2 && lists["train"]?.count == 4)
    }
}
