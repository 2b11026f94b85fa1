/// The directory of a zip archive. Entries are found by name and lent in place; nothing is unpacked, and a name is never a path.
struct ZipDirectory {
    struct Entry {
        let method: UInt16
        let flags: UInt16
        let compressedSize: Int
        let size: Int
        let start: Int
    }

    /// A checkpoint has one entry per storage; the largest models have some ten thousand.
    static let entryLimit = 1 << 17

    private(set) var entries: [String: Entry] = [:]
    private let path: String
    /// Where the directory begins: contents end before it.
    private let contentsEnd: Int

    /// - Parameter bytes: the whole file.
    init(path: String, bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
        self.path = path
        guard let end = Self.findEnd(bytes) else {
            throw .invalidArchive(path: path, part: "the file", problem: "ends without a zip directory, as if it were cut off")
        }
        let directory = try Self.directory(path: path, bytes: bytes, end: end)
        contentsEnd = directory.range.lowerBound
        try read(bytes, directory.range, count: directory.count)
    }

    /// The bytes of a stored entry in the file; nil where there is no such entry.
    /// - Throws: `.compressedEntry`, or `.invalidArchive` where the two places that describe the entry don't agree.
    func contents(of name: String, in bytes: UnsafeRawBufferPointer) throws(TensorFileError) -> Range<Int>? {
        guard let entry = entries[name] else { return nil }
        func broken(_ problem: String) -> TensorFileError {
            .invalidArchive(path: path, part: "its entry `\(name.prefix(200))`", problem: problem)
        }
        guard entry.flags & ZipFormat.encrypted == 0 else { throw broken("is encrypted") }
        guard entry.method == ZipFormat.stored else { throw .compressedEntry(path: path, entry: name) }
        guard entry.size == entry.compressedSize else {
            throw broken("is stored, with a size of \(entry.size) and of \(entry.compressedSize)")
        }
        guard bytes.little(UInt32.self, at: entry.start) == ZipFormat.localEntry,
            let nameLength = bytes.little(UInt16.self, at: entry.start + 26),
            let extraLength = bytes.little(UInt16.self, at: entry.start + 28)
        else { throw broken("does not begin where the directory says") }
        let nameStart = entry.start + ZipFormat.localEntrySize
        let start = nameStart + Int(nameLength) + Int(extraLength)
        guard start <= contentsEnd, entry.size <= contentsEnd - start else { throw broken("does not end before the directory") }
        guard bytes[nameStart..<nameStart + Int(nameLength)].elementsEqual(name.utf8) else {
            throw broken("has another name in the directory")
        }
        return start..<start + entry.size
    }

    /// The end record is the last thing in the file but for a comment of at most 65,535 bytes.
    private static func findEnd(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let last = bytes.count - ZipFormat.endSize
        guard last >= 0 else { return nil }
        return stride(from: last, through: max(0, last - 0xFFFF), by: -1).first { offset in
            bytes.little(UInt32.self, at: offset) == ZipFormat.end
                && bytes.little(UInt16.self, at: offset + 20).map { offset + ZipFormat.endSize + Int($0) } == bytes.count
        }
    }

    private static func directory(
        path: String, bytes: UnsafeRawBufferPointer, end: Int
    ) throws(TensorFileError) -> (range: Range<Int>, count: Int) {
        func broken(_ problem: String) -> TensorFileError {
            .invalidArchive(path: path, part: "its directory", problem: problem)
        }
        var count = bytes.little(UInt16.self, at: end + 10).map(UInt64.init)
        var size = bytes.little(UInt32.self, at: end + 12).map(UInt64.init)
        var start = bytes.little(UInt32.self, at: end + 16).map(UInt64.init)
        var limit = end
        // PyTorch writes the wide records always; where they stand they decide.
        let locator = end - ZipFormat.wideLocatorSize
        if bytes.little(UInt32.self, at: locator) == ZipFormat.wideLocator {
            guard let place = bytes.little(UInt64.self, at: locator + 8).flatMap({ Int(exactly: $0) }),
                place <= locator - ZipFormat.wideEndSize, bytes.little(UInt32.self, at: place) == ZipFormat.wideEnd
            else { throw broken("is announced by a zip64 record that is not in its place") }
            count = bytes.little(UInt64.self, at: place + 32)
            size = bytes.little(UInt64.self, at: place + 40)
            start = bytes.little(UInt64.self, at: place + 48)
            limit = place
        }
        guard let count, let size = size.flatMap({ Int(exactly: $0) }), let start = start.flatMap({ Int(exactly: $0) }),
            start <= limit, size <= limit - start
        else { throw broken("does not lie inside the file") }
        guard count <= entryLimit else { throw .excessive(path: path, what: "\(count) entries", limit: entryLimit) }
        return (start..<start + size, Int(count))
    }

    private mutating func read(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, count: Int
    ) throws(TensorFileError) {
        let directory = UnsafeRawBufferPointer(rebasing: bytes[range])
        var offset = 0
        for index in 0..<count {
            func broken(_ problem: String) -> TensorFileError {
                .invalidArchive(path: path, part: "entry \(index) of its directory", problem: problem)
            }
            guard directory.little(UInt32.self, at: offset) == ZipFormat.directoryEntry,
                let flags = directory.little(UInt16.self, at: offset + 8),
                let method = directory.little(UInt16.self, at: offset + 10),
                let compressedSize = directory.little(UInt32.self, at: offset + 20),
                let size = directory.little(UInt32.self, at: offset + 24),
                let nameLength = directory.little(UInt16.self, at: offset + 28).map(Int.init),
                let extraLength = directory.little(UInt16.self, at: offset + 30).map(Int.init),
                let commentLength = directory.little(UInt16.self, at: offset + 32).map(Int.init),
                let start = directory.little(UInt32.self, at: offset + 42)
            else { throw broken("is cut off or does not begin as an entry") }
            let nameStart = offset + ZipFormat.directoryEntrySize
            let next = nameStart + nameLength + extraLength + commentLength
            guard next <= directory.count else { throw broken("is cut off") }
            guard let name = String(validating: directory[nameStart..<nameStart + nameLength], as: UTF8.self) else {
                throw broken("has a name that is not UTF-8")
            }
            let extra = UnsafeRawBufferPointer(rebasing: directory[nameStart + nameLength..<next - commentLength])
            // The zip64 field holds those numbers alone that are all ones here, in this order.
            var wide = Self.wideNumbers(extra)[...]
            func number(_ narrow: UInt32) throws(TensorFileError) -> Int {
                guard narrow == ZipFormat.elsewhere else { return Int(narrow) }
                guard let word = wide.popFirst(), let number = Int(exactly: word) else { throw broken("lacks its zip64 numbers") }
                return number
            }
            let full = try number(size)
            let packed = try number(compressedSize)
            let entry = Entry(method: method, flags: flags, compressedSize: packed, size: full, start: try number(start))
            guard entry.start < contentsEnd else { throw broken("lies outside the file") }
            guard entries.updateValue(entry, forKey: name) == nil else { throw broken("repeats the name `\(name.prefix(200))`") }
            offset = next
        }
    }

    private static func wideNumbers(_ extra: UnsafeRawBufferPointer) -> [UInt64] {
        var offset = 0
        while let kind = extra.little(UInt16.self, at: offset), let length = extra.little(UInt16.self, at: offset + 2) {
            if kind == ZipFormat.wideExtra {
                let end = min(offset + 4 + Int(length), extra.count)
                return stride(from: offset + 4, through: end - 8, by: 8).compactMap { extra.little(UInt64.self, at: $0) }
            }
            offset += 4 + Int(length)
        }
        return []
    }
}
