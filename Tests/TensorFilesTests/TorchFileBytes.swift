/// A torch file byte by byte, with whatever faults its parts have.
struct TorchFileBytes {
    struct Entry {
        let name: String
        var bytes: [UInt8]
        var method: UInt16 = 0
        var flags: UInt16 = 0
        /// What the directory says where it should not say the truth.
        var listedName: String?
        var listedSize: UInt32?
        var listedStart: UInt32?
        var comment: [UInt8] = []
        var extra: [UInt8] = []
    }

    var entries: [Entry]
    var listedCount: UInt16?
    var directoryStart: UInt32?
    var comment: [UInt8] = []

    init(_ entries: [Entry]) { self.entries = entries }

    /// A checkpoint with one pickle and its records.
    init(pickle: [UInt8], records: [String: [UInt8]] = ["data/0": [UInt8](repeating: 0, count: 24)]) {
        entries = [Entry(name: "x/data.pkl", bytes: pickle)]
        entries += records.sorted { $0.key < $1.key }.map { Entry(name: "x/\($0.key)", bytes: $0.value) }
    }

    var bytes: [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let start = entry.listedStart ?? UInt32(file.count)
            let (name, listed) = (Array(entry.name.utf8), Array((entry.listedName ?? entry.name).utf8))
            let size = little(UInt32(entry.bytes.count))
            file += [0x50, 0x4B, 3, 4, 20, 0] + little(entry.flags) + little(entry.method) + [0, 0, 0x21, 0, 0, 0, 0, 0]
            file += size + size + little(UInt16(name.count)) + [0, 0] + name + entry.bytes
            let listedSize = entry.listedSize.map(little) ?? size
            directory +=
                [0x50, 0x4B, 1, 2, 20, 0, 20, 0] + little(entry.flags) + little(entry.method) + [0, 0, 0x21, 0, 0, 0, 0, 0]
            directory += size + listedSize + little(UInt16(listed.count)) + little(UInt16(entry.extra.count))
            directory += little(UInt16(entry.comment.count)) + [UInt8](repeating: 0, count: 8) + little(start)
            directory += listed + entry.extra + entry.comment
        }
        let count = little(listedCount ?? UInt16(entries.count))
        let end: [UInt8] = [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + count + count + little(UInt32(directory.count))
        return file + directory + end + little(directoryStart ?? UInt32(file.count)) + little(UInt16(comment.count)) + comment
    }
}

func little<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
    withUnsafeBytes(of: word.littleEndian, Array.init)
}

/// The operations of a pickle, as they are written; what is not here stands in the tests as bytes.
enum Pickle {
    static let none: [UInt8] = [0x4E]
    static let falsehood: [UInt8] = [0x89]
    static let mark: [UInt8] = [0x28]
    static let tuple: [UInt8] = [0x74]
    static let tuple1: [UInt8] = [0x85]
    static let emptyTuple: [UInt8] = [0x29]
    static let emptyList: [UInt8] = [0x5D]
    static let emptyDict: [UInt8] = [0x7D]
    static let append: [UInt8] = [0x61]
    static let setItem: [UInt8] = [0x73]
    static let reduce: [UInt8] = [0x52]
    static let newObject: [UInt8] = [0x81]
    static let build: [UInt8] = [0x62]
    static let persistentID: [UInt8] = [0x51]

    static func text(_ text: String) -> [UInt8] { [0x58] + little(UInt32(text.utf8.count)) + Array(text.utf8) }
    static func integer(_ integer: Int) -> [UInt8] { [0x8A, 8] + little(Int64(integer)) }
    static func global(_ module: String, _ name: String) -> [UInt8] { [0x63] + Array("\(module)\n\(name)\n".utf8) }
    static func put(_ key: UInt8) -> [UInt8] { [0x71, key] }
    static func get(_ key: UInt8) -> [UInt8] { [0x68, key] }
    static func integers(_ integers: [Int]) -> [UInt8] { mark + integers.flatMap(integer) + tuple }

    static func storage(_ type: String = "FloatStorage", key: String = "0", device: String = "cpu", count: Int = 6) -> [UInt8] {
        mark + text("storage") + global("torch", type) + text(key) + text(device) + integer(count) + tuple + persistentID
    }

    static func tensor(
        _ storage: [UInt8] = storage(), offset: Int = 0, shape: [Int] = [2, 3], strides: [Int] = [3, 1]
    ) -> [UInt8] {
        global("torch._utils", "_rebuild_tensor_v2") + mark + storage + integer(offset) + integers(shape) + integers(strides)
            + falsehood + global("collections", "OrderedDict") + emptyTuple + reduce + tuple + reduce
    }

    /// A pickle of one dictionary with one key.
    static func checkpoint(_ value: [UInt8], key: String = "w") -> [UInt8] {
        whole(emptyDict + text(key) + value + setItem)
    }

    static func whole(_ operations: [UInt8]) -> [UInt8] { [0x80, 2] + operations + [0x2E] }
}
