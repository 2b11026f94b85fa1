/// The checksum of zip entries: CRC-32 of ISO 3309, polynomial 0xEDB88320 reflected, beginning and ending with all bits inverted.
struct CRC32 {
    private var register: UInt32 = 0xFFFF_FFFF

    var value: UInt32 { ~register }

    /// `tables[k][b]` is what the byte `b` contributes when `k` bytes follow it: eight bytes then cost eight look-ups, and don't wait
    /// for one another.
    private static let tables: [[UInt32]] = {
        let first = (0..<256).map { byte in (0..<8).reduce(UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
        var tables = [first]
        for _ in 1..<8 {
            tables.append(tables[tables.count - 1].map { first[Int($0 & 0xFF)] ^ $0 >> 8 })
        }
        return tables
    }()

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let tables = Self.tables
        var crc = register
        var offset = 0
        while let word = bytes.little(UInt64.self, at: offset) {
            let mixed = word ^ UInt64(crc)
            crc = 0
            for index in 0..<8 {
                crc ^= tables[7 - index][Int(truncatingIfNeeded: mixed >> (8 * UInt64(index)) & 0xFF)]
            }
            offset += 8
        }
        for byte in bytes[offset...] { crc = crc >> 8 ^ tables[0][Int(truncatingIfNeeded: crc & 0xFF) ^ Int(byte)] }
        register = crc
    }
}
