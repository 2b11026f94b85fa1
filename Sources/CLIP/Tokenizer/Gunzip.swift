/// Unpacks a gzip file (RFC 1952) whose contents are deflated (RFC 1951).
///
/// The only compressed file that a tokenizer meets is OpenAI's vocabulary; a C library for it alone isn't worth linking.
struct Gunzip {
    /// Why a file can't be unpacked, in words that fit after "is not a whole gzip file:".
    struct Failure: Error {
        let reason: String
    }

    private let input: [UInt8]
    private var position = 0
    private var held: UInt32 = 0
    private var heldBits = 0
    private var output: [UInt8] = []
    private let limit: Int

    /// The unpacked bytes of `file`; checks length and CRC, and refuses to unpack more than `limit` bytes.
    static func unpack(_ file: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        var reader = Gunzip(input: file, limit: limit)
        try reader.skipHeader()
        try reader.inflate()
        try reader.checkTrailer()
        return reader.output
    }

    private init(input: [UInt8], limit: Int) {
        self.input = input
        self.limit = limit
    }

    // MARK: Header and trailer

    private mutating func skipHeader() throws(Failure) {
        guard input.count >= 18, input[0] == 0x1F, input[1] == 0x8B, input[2] == 8 else {
            throw Failure(reason: "it does not begin as one")
        }
        let flags = input[3]
        position = 10
        if flags & 4 != 0 {
            let length = Int(try byte()) | Int(try byte()) << 8
            position += length
        }
        for flag: UInt8 in [8, 16] where flags & flag != 0 {  // file name, then comment: both end with a zero
            while try byte() != 0 {}
        }
        if flags & 2 != 0 { position += 2 }
    }

    private mutating func checkTrailer() throws(Failure) {
        var words: [UInt32] = []
        for _ in 0..<2 {
            var word: UInt32 = 0
            for shift: UInt32 in [0, 8, 16, 24] { word |= UInt32(try byte()) << shift }
            words.append(word)
        }
        guard words[1] == UInt32(truncatingIfNeeded: output.count) else {
            throw Failure(reason: "it unpacks to \(output.count) bytes, its end says \(words[1])")
        }
        guard words[0] == Self.crc(output) else { throw Failure(reason: "its checksum is wrong") }
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        let table: [UInt32] = (0..<256).map { (first: UInt32) -> UInt32 in
            var value = first
            for _ in 0..<8 { value = value & 1 == 1 ? (value >> 1) ^ 0xEDB8_8320 : value >> 1 }
            return value
        }
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes { crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8) }
        return ~crc
    }

    // MARK: Bits

    private mutating func byte() throws(Failure) -> UInt8 {
        guard position < input.count else { throw Failure(reason: "it ends in the middle") }
        defer { position += 1 }
        return input[position]
    }

    private mutating func bits(_ count: Int) throws(Failure) -> Int {
        while heldBits < count {
            held |= UInt32(try byte()) << UInt32(heldBits)
            heldBits += 8
        }
        defer {
            held >>= UInt32(count)
            heldBits -= count
        }
        return Int(held & ((1 << UInt32(count)) - 1))
    }

    // MARK: Huffman codes

    /// A canonical Huffman code: how many codes each length has, and the symbols in the order of their codes.
    private struct Code {
        var counts = [Int](repeating: 0, count: 16)
        var symbols: [Int] = []

        init(lengths: some Collection<Int>) {
            for length in lengths { counts[length] += 1 }
            counts[0] = 0
            let numbered = Array(lengths.enumerated())
            for length in 1..<16 {
                symbols += numbered.filter { $0.element == length }.map(\.offset)
            }
        }
    }

    private mutating func symbol(_ code: Code) throws(Failure) -> Int {
        var value = 0
        var first = 0
        var index = 0
        for length in 1..<16 {
            value |= try bits(1)
            let count = code.counts[length]
            if value - first < count { return code.symbols[index + value - first] }
            index += count
            first = (first + count) << 1
            value <<= 1
        }
        throw Failure(reason: "it holds a code that its table does not have")
    }

    // MARK: Blocks

    private mutating func inflate() throws(Failure) {
        var last = false
        while !last {
            last = try bits(1) == 1
            switch try bits(2) {
            case 0: try stored()
            case 1: try compressed(literals: Self.fixedLiterals, distances: Self.fixedDistances)
            case 2:
                let (literals, distances) = try tables()
                try compressed(literals: literals, distances: distances)
            default: throw Failure(reason: "it has a block of an unknown kind")
            }
        }
    }

    private mutating func stored() throws(Failure) {
        (held, heldBits) = (0, 0)
        let length = Int(try byte()) | Int(try byte()) << 8
        let complement = Int(try byte()) | Int(try byte()) << 8
        guard length ^ complement == 0xFFFF else { throw Failure(reason: "a stored block has two different lengths") }
        for _ in 0..<length { try put(try byte()) }
    }

    private mutating func put(_ byte: UInt8) throws(Failure) {
        guard output.count < limit else { throw Failure(reason: "it unpacks to more than \(limit) bytes") }
        output.append(byte)
    }

    private static let fixedLiterals = Code(
        lengths: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
    )
    private static let fixedDistances = Code(lengths: [Int](repeating: 5, count: 30))

    private mutating func tables() throws(Failure) -> (Code, Code) {
        let literals = try bits(5) + 257
        let distances = try bits(5) + 1
        let lengthCodes = try bits(4) + 4
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        var lengths = [Int](repeating: 0, count: 19)
        for place in order.prefix(lengthCodes) { lengths[place] = try bits(3) }
        let code = Code(lengths: lengths)
        var all: [Int] = []
        while all.count < literals + distances {
            let next = try symbol(code)
            switch next {
            case 16:
                guard let previous = all.last else { throw Failure(reason: "a table repeats a length that it has not got") }
                all += [Int](repeating: previous, count: try bits(2) + 3)
            case 17: all += [Int](repeating: 0, count: try bits(3) + 3)
            case 18: all += [Int](repeating: 0, count: try bits(7) + 11)
            default: all.append(next)
            }
        }
        guard all.count == literals + distances else { throw Failure(reason: "a table is longer than it says") }
        return (Code(lengths: all[..<literals]), Code(lengths: Array(all[literals...])))
    }

    private static let lengthBase = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
    ]
    private static let lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
    private static let distanceBase = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
        8193, 12289, 16385, 24577,
    ]

    private mutating func compressed(literals: Code, distances: Code) throws(Failure) {
        while true {
            let next = try symbol(literals)
            if next < 256 {
                try put(UInt8(next))
                continue
            }
            if next == 256 { return }
            guard next - 257 < Self.lengthBase.count else { throw Failure(reason: "it has a length that does not exist") }
            let length = Self.lengthBase[next - 257] + (try bits(Self.lengthBits[next - 257]))
            let place = try symbol(distances)
            guard place < Self.distanceBase.count else { throw Failure(reason: "it has a distance that does not exist") }
            let distance = Self.distanceBase[place] + (try bits(max(0, place / 2 - 1)))
            guard distance <= output.count else { throw Failure(reason: "it refers to bytes before its beginning") }
            for _ in 0..<length { try put(output[output.count - distance]) }
        }
    }
}
