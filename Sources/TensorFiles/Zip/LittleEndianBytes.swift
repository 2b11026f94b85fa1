extension UnsafeRawBufferPointer {
    /// The little-endian number at `offset`; nil where it would not lie wholly inside.
    func little<Word: FixedWidthInteger & BitwiseCopyable>(_ type: Word.Type, at offset: Int) -> Word? {
        guard offset >= 0, offset <= count - MemoryLayout<Word>.size else { return nil }
        return Word(littleEndian: loadUnaligned(fromByteOffset: offset, as: Word.self))
    }
}

extension [UInt8] {
    mutating func append<Word: FixedWidthInteger>(little word: Word) {
        Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
    }
}
