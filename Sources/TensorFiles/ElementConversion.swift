/// Little-endian elements of any type as `Float`.
enum ElementConversion {
    /// F16, BF16, F32, I8, I16, U8 and BOOL (0 or 1) are exact; F64, I64 and I32 are rounded to nearest.
    /// - Parameter source: whole elements; they may be unaligned.
    static func floats(_ source: UnsafeRawBufferPointer, _ type: ElementType) -> [Float] {
        let count = source.count / type.byteCount
        return [Float](unsafeUninitializedCapacity: count) { target, initialized in
            convert(source, type, into: target)
            initialized = count
        }
    }

    private static func convert(
        _ source: UnsafeRawBufferPointer, _ type: ElementType, into target: UnsafeMutableBufferPointer<Float>
    ) {
        /// One loop per format, the conversion inlined.
        @inline(__always)
        func each<Bits: FixedWidthInteger & BitwiseCopyable>(_ convert: (Bits) -> Float) {
            guard let start = target.baseAddress else { return }
            for index in 0..<(source.count / MemoryLayout<Bits>.size) {
                let bits = source.loadUnaligned(fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
                (start + index).initialize(to: convert(Bits(littleEndian: bits)))
            }
        }
        switch type {
        case .float64: each { (bits: UInt64) in Float(Double(bitPattern: bits)) }
        case .float32: each { (bits: UInt32) in Float(bitPattern: bits) }
        case .float16: each { (bits: UInt16) in FloatFormats.float(half: bits) }
        case .bfloat16: each { (bits: UInt16) in FloatFormats.float(brain: bits) }
        case .int64: each { (value: Int64) in Float(value) }
        case .int32: each { (value: Int32) in Float(value) }
        case .int16: each { (value: Int16) in Float(value) }
        case .int8: each { (value: Int8) in Float(value) }
        case .uint8: each { (value: UInt8) in Float(value) }
        case .bool: each { (value: UInt8) in value == 0 ? 0 : 1 }
        }
    }
}
