import CZlib

/// Writes what `VariantTensors` reads.
public enum VariantWriter {
    /// A tensor of the variant: its name among the baseline's, and its elements row by row.
    public typealias Changed = (name: String, floats: [Float])

    /// Writes the tensors that differ from the baseline's, and how they do.
    ///
    /// A tensor with rows is kept as codes: a step is `coarseness` times the root mean square of its row's difference, so that the error of
    /// a row is `coarseness`/√12 of what was learned there, in no direction of its own. At 1 a code takes about two bits. What has one
    /// dimension or none is kept as it is.
    /// - Parameters:
    ///   - baseline: the tensors, its file as seen from the folder of `path`, and that file's SHA-256.
    ///   - coarseness: greater than 0, at most 16. A step is never so small that a code would leave −127…127.
    ///   - metadata: what else the file is to carry.
    /// - Returns: how many of the tensors differ.
    /// - Throws: `TensorFileError.noSuchTensor` for a name that the baseline lacks, `.byteCount` for another number of elements, and what writing throws.
    public static func write(
        _ tensors: [Changed], of baseline: (tensors: any TensorSource, file: String, digest: String), coarseness: Float,
        metadata: [String: String] = [:], to path: String
    ) throws(TensorFileError) -> Int {
        precondition(coarseness > 0 && coarseness <= 16, "the coarseness is \(coarseness), expected more than 0 and at most 16")
        var written: [TensorToWrite] = []
        var count = 0
        for (name, floats) in tensors {
            guard let description = baseline.tensors.tensors[name] else {
                throw .noSuchTensor(path: baseline.tensors.path, tensor: name, count: baseline.tensors.names.count)
            }
            let before = try baseline.tensors.floats(name)
            guard before.count == floats.count else {
                throw .byteCount(path: path, tensor: name, found: 4 * floats.count, expected: 4 * before.count)
            }
            if before == floats { continue }
            count += 1
            // Whole where there are no rows, and where numbers are none or too large to have a finite step.
            let difference = zip(floats, before).map { $0 - $1 }
            guard description.shape.count > 1, let rows = description.shape.first,
                difference.allSatisfy({ abs($0) < .greatestFiniteMagnitude / 1024 })
            else {
                written.append(TensorToWrite(name: name, floats: floats, shape: description.shape))
                continue
            }
            let (codes, steps) = quantized(difference, rows: rows, coarseness: coarseness)
            let stream = deflated(codes)
            written.append(TensorToWrite(name: name + VariantTensors.codes, type: .uint8, shape: [stream.count], bytes: stream))
            written.append(TensorToWrite(name: name + VariantTensors.steps, floats: steps, shape: [rows]))
        }
        let own = [VariantTensors.baselineKey: baseline.file, VariantTensors.digestKey: baseline.digest]
        try SafetensorsWriter.write(written, metadata: metadata.merging(own) { $1 }, to: path)
        return count
    }

    private static func quantized(_ difference: [Float], rows: Int, coarseness: Float) -> (codes: [Int8], steps: [Float]) {
        let width = difference.count / rows
        var codes: [Int8] = []
        codes.reserveCapacity(difference.count)
        let steps = (0..<rows).map { row -> Float in
            let numbers = difference[(row * width)..<((row + 1) * width)]
            let square = numbers.reduce(0.0) { $0 + Double($1) * Double($1) }
            let greatest = numbers.reduce(0) { max($0, abs($1)) }
            let step = max(coarseness * Float((square / Double(width)).squareRoot()), greatest / 127)
            for number in numbers { codes.append(step > 0 ? Int8(max(-127, min(127, (number / step).rounded()))) : 0) }
            return step
        }
        return (codes, steps)
    }

    /// With each byte's frequency and nothing else: codes of weights never repeat in sequences.
    private static func deflated(_ codes: [Int8]) -> [UInt8] {
        var stream = z_stream()
        guard
            deflateInit2_(&stream, 9, Z_DEFLATED, 15, 9, Z_HUFFMAN_ONLY, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK
        else {
            preconditionFailure("zlib has no memory for a stream")
        }
        defer { deflateEnd(&stream) }
        var input = codes.map { UInt8(bitPattern: $0) }
        let capacity = Int(deflateBound(&stream, uLong(input.count)))
        return [UInt8](unsafeUninitializedCapacity: capacity) { room, initialized in
            input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = uInt(input.count)
                stream.next_out = room.baseAddress
                stream.avail_out = uInt(capacity)
                let code = deflate(&stream, Z_FINISH)
                precondition(code == Z_STREAM_END, "zlib's own bound was too small")
            }
            initialized = Int(stream.total_out)
        }
    }
}
