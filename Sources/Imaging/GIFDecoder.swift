/// The first frame of a GIF on its canvas. Written here and not left to giflib, whose structures change with its versions: it is one page, and in Swift
/// a file that lies reads nothing but its own bytes.
///
/// What the frame leaves of the canvas is transparent where the frame has a transparent colour, else it has the first colour, as in Pillow.
enum GIFDecoder {
    /// A code of twelve bits is the longest.
    private static let maxCodes = 4096

    /// - Throws: `.truncated`, `.broken`, or why the control ended it.
    static func decode(_ bytes: UnsafeRawBufferPointer, _ gif: GIFHeader, alpha: AlphaRule, control: DecodingControl)
        throws(ImageError)
        -> RGBImage
    {
        var palette = gif.palette
        if let transparent = gif.transparent, alpha == .onWhite {
            palette.replaceSubrange(3 * transparent..<3 * transparent + 3, with: [255, 255, 255])
        }
        let background = 3 * (gif.transparent ?? 0)
        let isWhole =
            gif.frame == GIFHeader.Frame(x: 0, y: 0, width: gif.width, height: gif.height, isInterlaced: gif.frame.isInterlaced)
        var failure: ImageError?
        let image = RGBImage(width: gif.width, height: gif.height) { pixels in
            if !isWhole {
                for place in 0..<gif.width * gif.height {
                    for channel in 0..<3 { pixels[3 * place + channel] = palette[background + channel] }
                }
            }
            do throws(ImageError) {
                var codes = Codes(reader: ByteReader(bytes: bytes), position: gif.data, bits: gif.codeBits)
                let stride = 3 * gif.width
                for row in 0..<gif.frame.height {
                    if row % 16 == 0, let reason = control.reasonToStop { throw reason }
                    let y = gif.frame.y + (gif.frame.isInterlaced ? interlaced(row, of: gif.frame.height) : row)
                    var out = pixels + y * stride + 3 * gif.frame.x
                    for _ in 0..<gif.frame.width {
                        let colour = 3 * Int(try codes.next())
                        out[0] = palette[colour]
                        out[1] = palette[colour + 1]
                        out[2] = palette[colour + 2]
                        out += 3
                    }
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return image
    }

    /// Where the n-th row that is stored belongs: each eighth, those between from 4, from 2, then every other one.
    static func interlaced(_ row: Int, of height: Int) -> Int {
        let passes = [(0, 8), (4, 8), (2, 4), (1, 2)]
        var left = row
        for (start, step) in passes {
            let count = height > start ? (height - start + step - 1) / step : 0
            if left < count { return start + left * step }
            left -= count
        }
        return height - 1
    }

    /// Indices out of variable-length LZW codes. A code stands for its prefix's indices and one more; its string is unrolled backwards.
    private struct Codes {
        let reader: ByteReader
        var position: Int
        let bits: Int
        private let clear: Int
        private var left = 0
        private var held = 0
        private var heldBits = 0
        private var width: Int
        private var count: Int
        private var last = -1
        private var prefixes = [UInt16](repeating: 0, count: maxCodes)
        private var suffixes = [UInt8](repeating: 0, count: maxCodes)
        /// The indices that the last code stands for and that were not given out yet, the next one last.
        private var string = [UInt8](repeating: 0, count: maxCodes + 1)
        private var pending = 0
        private var first: UInt8 = 0

        init(reader: ByteReader, position: Int, bits: Int) {
            self.reader = reader
            self.position = position
            self.bits = bits
            clear = 1 << bits
            width = bits + 1
            count = clear + 2
            for index in 0..<clear { suffixes[index] = UInt8(index) }
        }

        mutating func next() throws(ImageError) -> UInt8 {
            while pending == 0 { try unroll() }
            pending -= 1
            return string[pending]
        }

        private mutating func unroll() throws(ImageError) {
            let code = try nextCode()
            if code == clear {
                width = bits + 1
                count = clear + 2
                last = -1
                return
            }
            guard code != clear + 1 else { throw .truncated(.gif) }
            // The one code that may be used before it is complete is the next one: the last string and its own first index again.
            guard code < count || (code == count && last >= 0 && count < maxCodes) else {
                throw .broken(.gif, reason: "its data hold a code that stands for nothing yet")
            }
            var rest = code
            if code == count {
                string[pending] = first
                pending += 1
                rest = last
            }
            while rest > clear {
                string[pending] = suffixes[rest]
                pending += 1
                rest = Int(prefixes[rest])
            }
            first = suffixes[rest]
            string[pending] = first
            pending += 1
            if last >= 0, count < maxCodes {
                prefixes[count] = UInt16(last)
                suffixes[count] = first
                count += 1
                if count == 1 << width, width < 12 { width += 1 }
            }
            last = code
        }

        private mutating func nextCode() throws(ImageError) -> Int {
            while heldBits < width {
                if left == 0 {
                    guard let size = reader.byte(position), size > 0 else { throw .truncated(.gif) }
                    left = size
                    position += 1
                }
                guard let byte = reader.byte(position) else { throw .truncated(.gif) }
                held |= byte << heldBits
                heldBits += 8
                position += 1
                left -= 1
            }
            let code = held & (1 << width - 1)
            held >>= width
            heldBits -= width
            return code
        }
    }
}
