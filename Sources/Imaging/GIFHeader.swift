/// The blocks of a GIF up to its first frame, and the walk to its end: "Graphics Interchange Format, Version 89a".
struct GIFHeader {
    /// The canvas: the logical screen, enlarged where the first frame goes beyond it, as Pillow does.
    let width: Int
    let height: Int
    let frame: Frame
    /// 256 colours of three samples: the frame's own, else those of the file, else grays. What the file does not give is black.
    let palette: [UInt8]
    /// The index that is transparent; none where every pixel is opaque.
    let transparent: Int?
    /// How many bits the shortest code has, less one.
    let codeBits: Int
    /// Where the sub-blocks of the frame's data begin.
    let data: Int

    struct Frame: Equatable {
        let x: Int
        let y: Int
        let width: Int
        let height: Int
        let isInterlaced: Bool
    }

    var header: ImageHeader {
        // The indices of the frame, beside the picture.
        ImageHeader(
            format: .gif, width: width, height: height, orientation: 1, hasAlpha: transparent != nil, colourHint: nil,
            cost: ImageHeader.Cost(scans: 1, samples: 3 * width * height, passes: "frame", workingBytes: 0))
    }

    /// - Throws: `.truncated` where the file ends before its first frame or its end mark, `.broken` for what no encoder writes.
    init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        let reader = ByteReader(bytes: bytes, littleEndian: true)
        guard let screenWidth = reader.number16(6), let screenHeight = reader.number16(8), let flags = reader.byte(10) else {
            throw .truncated(.gif)
        }
        var position = 13
        let global = try Self.palette(reader, flags, &position)
        var transparent: Int?
        while true {
            guard let mark = reader.byte(position) else { throw .truncated(.gif) }
            switch mark {
            case 0x21:
                // A control block holds for the frame behind it.
                if reader.byte(position + 1) == 0xF9, reader.byte(position + 2) == 4, let packed = reader.byte(position + 3) {
                    transparent = packed & 1 == 1 ? reader.byte(position + 6) : nil
                }
                position = try Self.endOfBlocks(reader, from: position + 2)
            case 0x2C:
                guard let x = reader.number16(position + 1), let y = reader.number16(position + 3),
                    let w = reader.number16(position + 5), let h = reader.number16(position + 7),
                    let flags = reader.byte(position + 9)
                else { throw .truncated(.gif) }
                position += 10
                let local = try Self.palette(reader, flags, &position)
                guard let codeBits = reader.byte(position) else { throw .truncated(.gif) }
                guard w > 0, h > 0 else { throw .broken(.gif, reason: "its first frame is \(w) x \(h)") }
                guard (1...8).contains(codeBits) else { throw .broken(.gif, reason: "its codes begin with \(codeBits + 1) bits") }
                (width, height) = (max(screenWidth, x + w), max(screenHeight, y + h))
                frame = Frame(x: x, y: y, width: w, height: h, isInterlaced: flags & 0x40 != 0)
                palette = local ?? global ?? (0..<768).map { UInt8($0 / 3) }
                self.transparent = transparent
                self.codeBits = codeBits
                data = position + 1
                try Self.findEnd(reader, from: Self.endOfBlocks(reader, from: data))
                return
            case 0x3B: throw .broken(.gif, reason: "it has no frame")
            default: throw .broken(.gif, reason: "a block begins with the byte \(mark), which begins none")
            }
        }
    }

    private static func palette(_ reader: ByteReader, _ flags: Int, _ position: inout Int) throws(ImageError) -> [UInt8]? {
        guard flags & 0x80 != 0 else { return nil }
        let count = 3 << (flags & 7 + 1)
        guard let colours = reader.slice(position, count) else { throw .truncated(.gif) }
        position += count
        return Array(colours) + [UInt8](repeating: 0, count: 768 - count)
    }

    /// Behind the empty sub-block that ends a list of them.
    private static func endOfBlocks(_ reader: ByteReader, from start: Int) throws(ImageError) -> Int {
        var position = start
        while let count = reader.byte(position) {
            position += 1 + count
            if count == 0 { return position }
        }
        throw .truncated(.gif)
    }

    /// Walks over whatever follows to the end mark, without which the file is cut off. What stands between blocks and is none ends the walk as browsers
    /// end it: what came before is whole.
    private static func findEnd(_ reader: ByteReader, from start: Int) throws(ImageError) {
        var position = start
        while let mark = reader.byte(position) {
            switch mark {
            case 0x21: position = try endOfBlocks(reader, from: position + 2)
            case 0x2C:
                guard let flags = reader.byte(position + 9) else { throw .truncated(.gif) }
                position += 10 + (flags & 0x80 != 0 ? 3 << (flags & 7 + 1) : 0) + 1
                position = try endOfBlocks(reader, from: position)
            default: return
            }
        }
        throw .truncated(.gif)
    }
}
