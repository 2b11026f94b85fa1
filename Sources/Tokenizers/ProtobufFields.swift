/// One message of Protocol Buffers' wire format, as its fields: the few kinds that a SentencePiece model is made of.
struct ProtobufFields {
    enum Value {
        /// Varint: integers, booleans, enumerations.
        case number(UInt64)
        /// A string or an inner message.
        case bytes(ArraySlice<UInt8>)
        /// Four bytes, little-endian: a float.
        case word(UInt32)
        case doubleWord
    }

    /// Why bytes are no message, in words that fit after "is not a SentencePiece model:".
    struct Failure: Error {
        let reason: String
    }

    private let bytes: ArraySlice<UInt8>
    private var place: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        place = bytes.startIndex
    }

    /// The next field; nil at the end.
    mutating func next() throws(Failure) -> (field: UInt64, value: Value)? {
        guard place < bytes.endIndex else { return nil }
        let tag = try varint()
        guard tag >> 3 != 0 else { throw Failure(reason: "byte \(place) begins no field") }
        switch tag & 7 {
        case 0: return (tag >> 3, .number(try varint()))
        case 1:
            _ = try take(8)
            return (tag >> 3, .doubleWord)
        case 2: return (tag >> 3, .bytes(try take(try varint())))
        case 5:
            let word = try take(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return (tag >> 3, .word(word))
        default: throw Failure(reason: "byte \(place) begins a field of an unknown kind")
        }
    }

    private mutating func take(_ count: UInt64) throws(Failure) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.endIndex - place) else { throw Failure(reason: "it ends in the middle of a field") }
        defer { place += Int(count) }
        return bytes[place..<place + Int(count)]
    }

    private mutating func varint() throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        for shift: UInt64 in stride(from: 0, to: 70, by: 7) {
            guard place < bytes.endIndex else { throw Failure(reason: "it ends in the middle of a field") }
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw Failure(reason: "byte \(place) is in a number that never ends")
    }
}
