import Foundation
import TensorFiles
import Testing

@Suite("PyTorch's archives")
struct TorchArchiveTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    struct Fault: Sendable, CustomTestStringConvertible {
        let what: String
        let says: String
        let bytes: [UInt8]
        var testDescription: String { what }

        init(_ what: String, says: String, _ bytes: [UInt8]) {
            self.what = what
            self.says = says
            self.bytes = bytes
        }

        /// A good file after `change`.
        init(_ what: String, says: String, change: (inout TorchFileBytes) -> Void) {
            var file = TorchArchiveTests.good
            change(&file)
            self.init(what, says: says, file.bytes)
        }
    }

    static let good = TorchFileBytes(pickle: Pickle.checkpoint(Pickle.tensor()))

    static let faults: [Fault] = [
        Fault("nothing", says: "it is empty", []),
        Fault("a text", says: "does not begin as a zip archive", Array("hello".utf8)),
        Fault("a safetensors file", says: "does not begin as a zip archive", safetensors(header: "{}")),
        Fault("a bare pickle", says: "is a pickle without an archive", Pickle.checkpoint(Pickle.none)),
        Fault("no directory", says: "ends without a zip directory", Array(good.bytes.dropLast())),
        Fault("bytes behind the end", says: "ends without a zip directory", good.bytes + [0]),
        Fault("no pickle", says: "without a `data.pkl`") { $0.entries.removeFirst() },
        Fault("a pickle without a folder", says: "without a `data.pkl` in its folder") {
            $0.entries[0] = .init(name: "data.pkl", bytes: Pickle.whole(Pickle.none))
        },
        Fault("a pickle two folders deep", says: "without a `data.pkl` in its folder") {
            $0.entries[0] = .init(name: "a/b/data.pkl", bytes: Pickle.whole(Pickle.none))
        },
        Fault("two checkpoints", says: "is a zip archive of 2 checkpoints") {
            $0.entries.append(.init(name: "y/data.pkl", bytes: Pickle.whole(Pickle.none)))
        },
        Fault("a big-endian machine", says: "expected little-endian elements") {
            $0.entries.append(.init(name: "x/byteorder", bytes: Array("big".utf8)))
        },
        Fault("a byte order of nobody", says: "its byteorder is neither little nor big") {
            $0.entries.append(.init(name: "x/byteorder", bytes: Array("middle".utf8)))
        },
        Fault("a deflated pickle", says: "the entry `x/data.pkl` is compressed") { $0.entries[0].method = 8 },
        Fault("a deflated storage", says: "the entry `x/data/0` is compressed") { $0.entries[1].method = 8 },
        Fault("an encrypted pickle", says: "`x/data.pkl` is encrypted") { $0.entries[0].flags = 1 },
        Fault("two sizes", says: "with a size of 7 and of") { $0.entries[0].listedSize = 7 },
        Fault("an entry twice", says: "repeats the name `x/data/0`") { $0.entries.append($0.entries[1]) },
        Fault("two names", says: "has another name in the directory") {
            $0.entries[1] = .init(name: "x/data/7", bytes: $0.entries[1].bytes, listedName: "x/data/0")
        },
        Fault("a name that is not UTF-8", says: "entry 2 of its directory has a name that is not UTF-8", notUTF8),
        Fault("an entry outside the file", says: "lies outside the file") { $0.entries[1].listedStart = 1 << 31 },
        Fault("an entry elsewhere", says: "does not begin where the directory says") { $0.entries[1].listedStart = 5 },
        Fault("wide numbers that are not there", says: "lacks its zip64 numbers") { $0.entries[1].listedSize = .max },
        Fault("a wide number beyond 63 bits", says: "lacks its zip64 numbers") {
            $0.entries[1].listedSize = .max
            $0.entries[1].extra = [1, 0, 8, 0] + little(UInt64.max)
        },
        Fault("a wide number too large", says: "with a size of 1099511627776 and of 24") {
            $0.entries[1].listedSize = .max
            $0.entries[1].extra = [1, 0, 8, 0] + little(UInt64(1 << 40))
        },
        Fault("more entries than there are", says: "entry 2 of its directory is cut off") { $0.listedCount = 9 },
        Fault("fewer entries than there are", says: "the archive has no such entry") { $0.listedCount = 1 },
        Fault("a directory outside", says: "its directory does not lie inside the file") { $0.directoryStart = .max },
    ]

    /// The entry `x/z` with a byte that begins nothing in UTF-8.
    static let notUTF8: [UInt8] = {
        var file = good
        file.entries.append(.init(name: "x/z", bytes: []))
        return file.bytes.map { $0 == UInt8(ascii: "z") ? 0xFF : $0 }
    }()

    @Test("a planted fault is refused with what was found", arguments: faults)
    func plantedFault(_ fault: Fault) throws {
        let path = try folder.write(fault.bytes, as: "x.pt")
        let error = try #require(throws: TensorFileError.self) { _ = try TorchCheckpoint(path: path) }
        #expect(error.description.contains(fault.says), "\(error)")
        #expect(error.description.contains(path))
    }

    @Test("comments, entries of others and deflated code are no trouble; a wide size that is true is read")
    func harmless() throws {
        var file = Self.good
        file.comment = Array("a comment with PK\u{5}\u{6} in it".utf8)
        file.entries[0].comment = [1, 2, 3]
        file.entries[1].listedSize = .max
        file.entries[1].extra = [0x46, 0x42, 1, 0, 0x5A, 1, 0, 8, 0] + little(UInt64(24))
        file.entries.append(.init(name: "x/code/a.py", bytes: [1, 2, 3], method: 8))
        file.entries.append(.init(name: "../../../etc/passwd", bytes: [1]))
        file.entries.append(.init(name: "x/byteorder", bytes: Array("little".utf8)))
        let checkpoint = try TorchCheckpoint(path: folder.write(file.bytes, as: "x.pt"))
        #expect(checkpoint.isTorchScript)
        #expect(try checkpoint.tensors().floats("w") == [0, 0, 0, 0, 0, 0])
    }

    @Test("a file cut off after any byte is refused in one sentence", arguments: ["views", "module", "script", "protocol4"])
    func truncations(_ name: String) throws {
        let whole = try Data(contentsOf: URL(filePath: ExpectedCheckpoint.path(name)))
        // A prime step: every kind of place is met, in an eleventh of the time.
        for length in stride(from: 0, to: whole.count, by: 11) {
            let path = try folder.write(Array(whole.prefix(length)), as: "x.pt")
            let error = try #require(throws: TensorFileError.self) { _ = try TorchCheckpoint(path: path, objects: .collected) }
            #expect(error.description.contains(path))
        }
    }
}
