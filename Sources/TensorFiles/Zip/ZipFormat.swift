/// The signatures and sizes of the zip format that PyTorch's files use (APPNOTE 6.3, zip64 included).
///
///     local entry   "PK\3\4", 30 bytes, name, extra field, contents, perhaps a descriptor "PK\7\8"
///     directory     per entry "PK\1\2", 46 bytes, name, extra field, comment
///     zip64 end     "PK\6\6", 56 bytes: count and place of the directory in 64 bits
///     zip64 locator "PK\6\7", 20 bytes: where the zip64 end is
///     end           "PK\5\6", 22 bytes, comment: the same in 16 and 32 bits, all ones where that is too narrow
enum ZipFormat {
    static let localEntry: UInt32 = 0x0403_4B50
    static let descriptor: UInt32 = 0x0807_4B50
    static let directoryEntry: UInt32 = 0x0201_4B50
    static let wideEnd: UInt32 = 0x0606_4B50
    static let wideLocator: UInt32 = 0x0706_4B50
    static let end: UInt32 = 0x0605_4B50

    static let localEntrySize = 30
    static let directoryEntrySize = 46
    static let wideEndSize = 56
    static let wideLocatorSize = 20
    static let endSize = 22

    /// The extra field that carries what 32 bits could not.
    static let wideExtra: UInt16 = 0x0001
    /// "FB": PyTorch's extra field, filled up so that the contents begin at a multiple of 64.
    static let paddingExtra: UInt16 = 0x4246
    static let alignment = 64

    /// Bit 3: sizes and checksum follow the contents. Bit 11: the name is UTF-8. What PyTorch's own writer sets.
    static let flags: UInt16 = 0x0808
    static let encrypted: UInt16 = 0x0001
    static let stored: UInt16 = 0
    /// Stands in a 32-bit field whose number is in the zip64 extra field.
    static let elsewhere: UInt32 = 0xFFFF_FFFF
}
