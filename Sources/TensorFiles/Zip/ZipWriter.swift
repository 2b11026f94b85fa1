/// Writes a zip archive of stored entries as PyTorch does: contents at multiples of 64, checksums behind them, zip64 records at the
/// end. An entry's size is known before its contents, its checksum after, so that nothing is read twice or held in memory.
struct ZipWriter {
    struct Entry {
        let name: String
        let start: Int
        let size: Int
        let checksum: UInt32

        /// Whether a number does not fit the 32 bits that a plain entry has for it.
        private var isWide: Bool { size >= Int(ZipFormat.elsewhere) || start >= Int(ZipFormat.elsewhere) }

        /// Its part of the directory. Both sizes and the place go to the zip64 field together where one of them must.
        var directoryBytes: [UInt8] {
            let name = Array(name.utf8)
            var bytes: [UInt8] = []
            bytes.append(little: ZipFormat.directoryEntry)
            // Made by, needed to read: version 4.5 has zip64.
            bytes.append(little: UInt16(45))
            bytes.append(little: UInt16(45))
            bytes.append(little: ZipFormat.flags)
            bytes.append(little: ZipFormat.stored)
            bytes.append(little: ZipWriter.time)
            bytes.append(little: checksum)
            bytes.append(little: isWide ? ZipFormat.elsewhere : UInt32(size))
            bytes.append(little: isWide ? ZipFormat.elsewhere : UInt32(size))
            bytes.append(little: UInt16(name.count))
            bytes.append(little: UInt16(isWide ? 28 : 0))
            // No comment, first disk, no attributes.
            bytes.append(contentsOf: [UInt8](repeating: 0, count: 10))
            bytes.append(little: isWide ? ZipFormat.elsewhere : UInt32(start))
            bytes += name
            if isWide {
                bytes.append(little: ZipFormat.wideExtra)
                bytes.append(little: UInt16(24))
                for number in [size, size, start] { bytes.append(little: UInt64(number)) }
            }
            return bytes
        }
    }

    /// 1 January 1980, the earliest that the format knows: the same input gives the same bytes.
    private static let time: UInt32 = 0x0021_0000

    private let file: ReplacingFile
    private var position = 0
    private var entries: [Entry] = []

    init(_ file: ReplacingFile) {
        self.file = file
    }

    mutating func add(_ name: String, _ bytes: [UInt8]) throws(TensorFileError) {
        try add(name, size: bytes.count) { (append) throws(TensorFileError) in
            try bytes.withUnsafeBytes { bytes in Result { () throws(TensorFileError) in try append(bytes) } }.get()
        }
    }

    /// - Parameter contents: hands exactly `size` bytes to its argument, in as many parts as it likes.
    mutating func add(
        _ name: String, size: Int,
        contents: ((UnsafeRawBufferPointer) throws(TensorFileError) -> Void) throws(TensorFileError) -> Void
    ) throws(TensorFileError) {
        let start = position
        let isWide = size >= Int(ZipFormat.elsewhere)
        try append(localBytes(name, isWide: isWide))
        var checksum = CRC32()
        try contents { (part) throws(TensorFileError) in
            checksum.update(part)
            try file.append(part)
        }
        position += size
        let entry = Entry(name: name, start: start, size: size, checksum: checksum.value)
        entries.append(entry)
        var descriptor: [UInt8] = []
        descriptor.append(little: ZipFormat.descriptor)
        descriptor.append(little: entry.checksum)
        for _ in 0..<2 {
            if isWide { descriptor.append(little: UInt64(size)) } else { descriptor.append(little: UInt32(size)) }
        }
        try append(descriptor)
    }

    /// Writes the directory; the archive is whole then.
    mutating func finish() throws(TensorFileError) {
        let start = position
        for entry in entries { try append(entry.directoryBytes) }
        let (size, end) = (position - start, position)
        var bytes: [UInt8] = []
        bytes.append(little: ZipFormat.wideEnd)
        bytes.append(little: UInt64(ZipFormat.wideEndSize - 12))
        bytes.append(little: UInt16(45))
        bytes.append(little: UInt16(45))
        bytes.append(contentsOf: [UInt8](repeating: 0, count: 8))
        for number in [entries.count, entries.count, size, start] { bytes.append(little: UInt64(number)) }
        bytes.append(little: ZipFormat.wideLocator)
        bytes.append(little: UInt32(0))
        bytes.append(little: UInt64(end))
        bytes.append(little: UInt32(1))
        bytes.append(little: ZipFormat.end)
        bytes.append(little: UInt32(0))
        for _ in 0..<2 { bytes.append(little: UInt16(clamping: entries.count)) }
        bytes.append(little: UInt32(clamping: size))
        bytes.append(little: UInt32(clamping: start))
        bytes.append(little: UInt16(0))
        try append(bytes)
    }

    private mutating func append(_ bytes: [UInt8]) throws(TensorFileError) {
        try file.append(bytes)
        position += bytes.count
    }

    private func localBytes(_ name: String, isWide: Bool) -> [UInt8] {
        let name = Array(name.utf8)
        var extra: [UInt8] = []
        if isWide {
            extra.append(little: ZipFormat.wideExtra)
            extra.append(little: UInt16(16))
            extra.append(contentsOf: [UInt8](repeating: 0, count: 16))
        }
        // The contents' place with an empty padding field, and how far the next multiple is from there.
        let unpadded = position + ZipFormat.localEntrySize + name.count + extra.count + 4
        let padding = (ZipFormat.alignment - unpadded % ZipFormat.alignment) % ZipFormat.alignment
        extra.append(little: ZipFormat.paddingExtra)
        extra.append(little: UInt16(padding))
        extra.append(contentsOf: [UInt8](repeating: UInt8(ascii: "Z"), count: padding))

        var bytes: [UInt8] = []
        bytes.append(little: ZipFormat.localEntry)
        bytes.append(little: UInt16(45))
        bytes.append(little: ZipFormat.flags)
        bytes.append(little: ZipFormat.stored)
        bytes.append(little: Self.time)
        // Checksum and sizes stand behind the contents.
        bytes.append(little: UInt32(0))
        for _ in 0..<2 { bytes.append(little: isWide ? ZipFormat.elsewhere : UInt32(0)) }
        bytes.append(little: UInt16(name.count))
        bytes.append(little: UInt16(extra.count))
        return bytes + name + extra
    }
}
