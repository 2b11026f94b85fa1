internal import CTorch
public import TensorFiles

// From and to Swift arrays, mapped files and numbers.
extension Tensor {
    /// Copies `values` (row-major).
    /// - Throws: `.value` if their count is not the shape's.
    public convenience init(_ values: [Float], shape: [Int]) throws(TorchError) {
        try self.init(copying: values, type: .float32, shape: shape)
    }

    public convenience init(_ values: [Int64], shape: [Int]) throws(TorchError) {
        try self.init(copying: values, type: .int64, shape: shape)
    }

    public convenience init(_ values: [Int32], shape: [Int]) throws(TorchError) {
        try self.init(copying: values, type: .int32, shape: shape)
    }

    public convenience init(_ values: [UInt8], shape: [Int]) throws(TorchError) {
        try self.init(copying: values, type: .uint8, shape: shape)
    }

    public convenience init(_ values: [Bool], shape: [Int]) throws(TorchError) {
        try self.init(copying: values.map { UInt8($0 ? 1 : 0) }, type: .bool, shape: shape)
    }

    public convenience init(_ values: [Double], shape: [Int]) throws(TorchError) {
        try self.init(copying: values, type: .float64, shape: shape)
    }

    /// A scalar, shape `[]`.
    public convenience init(_ value: Float) throws(TorchError) {
        try self.init([value], shape: [])
    }

    private convenience init<Element>(copying values: [Element], type: ElementType, shape: [Int]) throws(TorchError) {
        var result: OpaquePointer?
        let sizes = shape.map(Int64.init)
        try checked {
            values.withUnsafeBytes { ct_from_bytes($0.baseAddress, $0.count, type.code, sizes, sizes.count, &result) }
        }
        guard let result else { throw .internalFailure("a call succeeded without a result") }
        self.init(adopting: result)
    }

    /// Copies raw row-major bytes, as a file holds them.
    public convenience init(bytes: UnsafeRawBufferPointer, type: ElementType, shape: [Int]) throws(TorchError) {
        var result: OpaquePointer?
        let sizes = shape.map(Int64.init)
        try checked { ct_from_bytes(bytes.baseAddress, bytes.count, type.code, sizes, sizes.count, &result) }
        guard let result else { throw .internalFailure("a call succeeded without a result") }
        self.init(adopting: result)
    }

    /// A tensor of a mapped file, without a copy where its elements lie in a row and the file's alignment allows: the file stays mapped
    /// while the tensor lives. Such a tensor must never be written to.
    /// - Throws: `TensorFileError` if the name is unknown, `TorchError` otherwise.
    public static func mapped(_ name: String, of file: any TensorSource) throws -> Tensor {
        guard let description = file.tensors[name] else { throw TorchError.argument("\(file.path) holds no tensor \(name)") }
        return try file.withBytes(of: name) { bytes in
            let address = Int(bitPattern: bytes.baseAddress)
            guard let base = bytes.baseAddress, bytes.count > 0, file.liesInPlace(name),
                address % description.type.byteCount == 0
            else {
                return try Tensor(bytes: bytes, type: description.type, shape: description.shape)
            }
            let sizes = description.shape.map(Int64.init)
            let keeper = Unmanaged<AnyObject>.passRetained(file)
            do {
                return try make {
                    ct_from_borrowed(
                        base, description.type.code, sizes, sizes.count, keeper.toOpaque(),
                        { Unmanaged<AnyObject>.fromOpaque($0!).release() }, $0)
                }
            } catch {
                keeper.release()
                throw error
            }
        }
    }

    public static func full(_ value: Double, shape: [Int], type: ElementType = .float32) throws(TorchError) -> Tensor {
        let sizes = shape.map(Int64.init)
        return try make { ct_full(value, type.code, sizes, sizes.count, $0) }
    }

    public static func zeros(_ shape: [Int], type: ElementType = .float32) throws(TorchError) -> Tensor {
        try full(0, shape: shape, type: type)
    }

    public static func ones(_ shape: [Int], type: ElementType = .float32) throws(TorchError) -> Tensor {
        try full(1, shape: shape, type: type)
    }

    /// Zeros of the shape, type, device and memory order of `tensor`.
    public static func zeros(like tensor: Tensor) throws(TorchError) -> Tensor {
        try make { ct_zeros_like(tensor.handle, $0) }
    }

    /// `[start, start + 1, …, end - 1]`, int64.
    public static func range(_ range: Range<Int>) throws(TorchError) -> Tensor {
        try make { ct_arange(Int64(range.lowerBound), Int64(range.upperBound), $0) }
    }

    public static func identity(_ size: Int) throws(TorchError) -> Tensor {
        try make { ct_eye(Int64(size), $0) }
    }

    /// Standard normal numbers from the seeded generator.
    public static func randomNormal(_ shape: [Int]) throws(TorchError) -> Tensor {
        let sizes = shape.map(Int64.init)
        return try make { ct_randn(sizes, sizes.count, $0) }
    }

    /// Uniform numbers in 0..<1 from the seeded generator.
    public static func randomUniform(_ shape: [Int]) throws(TorchError) -> Tensor {
        let sizes = shape.map(Int64.init)
        return try make { ct_rand(sizes, sizes.count, $0) }
    }

    /// The elements, row-major, as `Float`.
    public func floats() throws(TorchError) -> [Float] {
        let plain = try type == .float32 ? self : to(.float32)
        return try plain.copied(zero: Float(0))
    }

    /// The elements, row-major, as `Int64`.
    public func integers() throws(TorchError) -> [Int64] {
        let plain = try type == .int64 ? self : to(.int64)
        return try plain.copied(zero: Int64(0))
    }

    private func copied<Element>(zero: Element) throws(TorchError) -> [Element] {
        let count = elementCount
        var values = [Element](repeating: zero, count: count)
        try checked { values.withUnsafeMutableBytes { ct_to_bytes(handle, $0.baseAddress, $0.count) } }
        return values
    }

    /// The raw row-major bytes.
    public func bytes() throws(TorchError) -> [UInt8] {
        let count = try elementCount * type.byteCount
        var values = [UInt8](repeating: 0, count: count)
        try checked { values.withUnsafeMutableBytes { ct_to_bytes(handle, $0.baseAddress, $0.count) } }
        return values
    }

    /// The only element.
    public func item() throws(TorchError) -> Double {
        var value = 0.0
        try checked { ct_item(handle, &value) }
        return value
    }

    public func to(_ type: ElementType) throws(TorchError) -> Tensor {
        try Tensor.make { ct_to_type(handle, type.code, $0) }
    }

    public func to(_ device: Device) throws(TorchError) -> Tensor {
        try Tensor.make { ct_to_device(handle, device.code, $0) }
    }

    /// Row-major, or with the channels innermost (`[n, c, h, w]` only), which oneDNN's convolutions like best.
    public func contiguous(channelsLast: Bool = false) throws(TorchError) -> Tensor {
        try Tensor.make { ct_contiguous(handle, channelsLast, $0) }
    }

    public func clone() throws(TorchError) -> Tensor {
        try Tensor.make { ct_clone(handle, $0) }
    }

    /// Overwrites this tensor's elements, outside autograd.
    public func copyInPlace(from source: Tensor) throws(TorchError) {
        try checked { ct_copy_into(handle, source.handle) }
    }
}
