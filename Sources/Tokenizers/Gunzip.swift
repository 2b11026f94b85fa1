import CZlib

/// Unpacks a gzip file (RFC 1952), such as OpenAI's vocabulary, with zlib, which checks its length and its checksum.
enum Gunzip {
    /// Why a file can't be unpacked, in words that fit after "is not a whole gzip file:".
    struct Failure: Error {
        let reason: String
    }

    /// zlib's `15`, the largest window, and `16` for gzip's header and end instead of its own.
    private static let gzip: Int32 = 15 + 16

    /// The unpacked bytes of the file's first member; at most `limit` of them.
    static func unpack(_ file: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        guard file.starts(with: [0x1F, 0x8B, 8]) else { throw Failure(reason: "it does not begin as one") }
        var input = file
        guard let count = UInt32(exactly: input.count) else { throw Failure(reason: "it has \(file.count) bytes") }
        var output: [UInt8] = []
        var failure: Failure?
        input.withUnsafeMutableBufferPointer { input in
            var stream = z_stream()
            guard inflateInit2_(&stream, gzip, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
                failure = Failure(reason: "no memory is left to unpack it")
                return
            }
            defer { inflateEnd(&stream) }
            stream.next_in = input.baseAddress
            stream.avail_in = count
            var part = [UInt8](repeating: 0, count: 1 << 16)
            var status = Z_OK
            while status == Z_OK {
                let room = part.count
                status = part.withUnsafeMutableBufferPointer { part in
                    stream.next_out = part.baseAddress
                    stream.avail_out = UInt32(room)
                    return inflate(&stream, Z_NO_FLUSH)
                }
                output += part[..<(room - Int(stream.avail_out))]
                if output.count > limit {
                    failure = Failure(reason: "it unpacks to more than \(limit) bytes")
                    return
                }
            }
            // Without progress although there is room for output: the input is over.
            if status == Z_BUF_ERROR { failure = Failure(reason: "it ends in the middle") }
            if status == Z_MEM_ERROR { failure = Failure(reason: "no memory is left to unpack it") }
            if status == Z_DATA_ERROR || status == Z_NEED_DICT {
                failure = Failure(reason: stream.msg.map { String(cString: $0) } ?? "its data are broken")
            }
        }
        if let failure { throw failure }
        return output
    }
}
