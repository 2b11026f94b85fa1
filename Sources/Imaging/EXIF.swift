/// The one entry of EXIF that matters here: tag 274, how the camera was held.
enum EXIF {
    /// Numbers of the field types whose values are whole numbers, with their sizes: SHORT, LONG, SBYTE, SSHORT, SLONG.
    private static let sizes = [3: 2, 4: 4, 6: 1, 8: 2, 9: 4]

    /// The orientation that a TIFF structure gives in its first directory, none if it has none or is not one.
    /// A directory that is cut off gives what stood before the cut, as in Pillow.
    static func orientation(_ exif: [UInt8]) -> Int? {
        exif.withUnsafeBytes { bytes in
            var start = 0
            // Some writers put the marker's own prefix once more before the data.
            for _ in 0..<2 where ByteReader(bytes: bytes).starts(with: "Exif\0\0", at: start) { start += 6 }
            guard let body = ByteReader(bytes: bytes).slice(start, bytes.count - start) else { return nil }
            return orientation(tiff: body)
        }
    }

    private static func orientation(tiff: UnsafeRawBufferPointer) -> Int? {
        var reader = ByteReader(bytes: tiff)
        if reader.starts(withBytes: [0x49, 0x49, 42, 0]) {
            reader.littleEndian = true
        } else if !reader.starts(withBytes: [0x4D, 0x4D, 0, 42]) {
            return nil
        }
        guard let directory = reader.number32(4), let entries = reader.number16(directory) else { return nil }
        for index in 0..<entries {
            let entry = directory + 2 + 12 * index
            guard reader.slice(entry, 12) != nil, let tag = reader.number16(entry), let type = reader.number16(entry + 2),
                let count = reader.number32(entry + 4)
            else { return nil }
            guard tag == 274, let size = sizes[type], count > 0 else { continue }
            // Up to four bytes stand in the entry itself. Of several values the first counts.
            let inside = count * size <= 4
            guard let offset = inside ? entry + 8 : reader.number32(entry + 8), reader.slice(offset, count * size) != nil else {
                continue
            }
            return size == 1 ? reader.byte(offset) : size == 2 ? reader.number16(offset) : reader.number32(offset)
        }
        return nil
    }

    /// XMP as an attribute, `tiff:Orientation="6"`, or as an element, `<tiff:Orientation>6<`.
    static func orientation(xmp: [UInt8]) -> Int? {
        xmp.withUnsafeBytes { bytes in
            let reader = ByteReader(bytes: bytes)
            var position = 0
            while let start = reader.firstIndex(of: UInt8(ascii: "O"), from: position) {
                position = start + 1
                guard reader.starts(with: "tiff:Orientation", at: start - 5) else { continue }
                let end = start + 11
                let value = reader.starts(with: "=\"", at: end) ? end + 2 : reader.starts(with: ">", at: end) ? end + 1 : -1
                if let digit = reader.byte(value), (0x30...0x39).contains(digit) { return digit - 0x30 }
            }
            return nil
        }
    }
}
