#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Bytes that may lie: every read is checked against their end.
struct ByteReader {
    let bytes: UnsafeRawBufferPointer
    /// Reads of more than one byte start with the lowest one.
    var littleEndian = false

    var count: Int { bytes.count }

    func byte(_ offset: Int) -> Int? {
        offset >= 0 && offset < bytes.count ? Int(bytes[offset]) : nil
    }

    func number16(_ offset: Int) -> Int? {
        guard let a = byte(offset), let b = byte(offset + 1) else { return nil }
        return littleEndian ? b << 8 | a : a << 8 | b
    }

    func number24(_ offset: Int) -> Int? {
        guard let low = number16(littleEndian ? offset : offset + 1), let high = byte(littleEndian ? offset + 2 : offset) else {
            return nil
        }
        return high << 16 | low
    }

    func number32(_ offset: Int) -> Int? {
        guard let a = number16(offset), let b = number16(offset + 2) else { return nil }
        return littleEndian ? b << 16 | a : a << 16 | b
    }

    /// None also for what does not fit an `Int`: nothing lies there.
    func number64(_ offset: Int) -> Int? {
        guard let a = number32(offset), let b = number32(offset + 4) else { return nil }
        return Int(exactly: littleEndian ? UInt64(b) << 32 | UInt64(a) : UInt64(a) << 32 | UInt64(b))
    }

    /// The bytes at `offset`, none if fewer than `count` are left.
    func slice(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer? {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    func starts(with text: StaticString, at offset: Int = 0) -> Bool {
        guard let slice = slice(offset, text.utf8CodeUnitCount) else { return false }
        return slice.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func starts(withBytes expected: [UInt8], at offset: Int = 0) -> Bool {
        slice(offset, expected.count)?.elementsEqual(expected) ?? false
    }

    /// Where the first `wanted` stands at or behind `offset`.
    func firstIndex(of wanted: UInt8, from offset: Int = 0) -> Int? {
        guard offset >= 0, offset < bytes.count, let start = bytes.baseAddress else { return nil }
        guard let found = memchr(start + offset, CInt(wanted), bytes.count - offset) else { return nil }
        return UnsafeRawPointer(found) - start
    }

    /// Where the next marker of a JPEG stands at or behind `offset`: a byte 0xFF before one that is neither 0 nor 0xFF.
    func marker(from offset: Int) -> Int? {
        var position = offset
        while let found = firstIndex(of: 0xFF, from: position), let next = byte(found + 1) {
            if next != 0, next != 0xFF { return found }
            position = found + (next == 0 ? 2 : 1)
        }
        return nil
    }
}
