/// A tensor of a PyTorch checkpoint: a view of one storage, whose elements stay in the mapped file.
///
/// The element at `[i, j, …]` is number `elementOffset + i · strides[0] + j · strides[1] + …` of the storage. Several tensors may
/// view one storage, and a stride may be 0 (an expanded tensor). Every element lies inside the storage: it was checked.
public final class CheckpointTensor: Sendable, Equatable {
    public let type: ElementType
    public let shape: [Int]
    /// In elements, none negative.
    public let strides: [Int]
    /// The storage's entry in the archive, such as `data/0`.
    public let storage: String
    /// In elements, from the storage's beginning.
    public let elementOffset: Int
    public let elementCount: Int
    /// Whether the elements lie row by row without a gap, so that they can be lent in place.
    public let isContiguous: Bool

    private let mapping: FileMapping
    /// The storage's bytes in the file.
    private let range: Range<Int>

    public var byteCount: Int { elementCount * type.byteCount }
    var path: String { mapping.path }

    /// An expanded tensor has more elements than its storage; beyond this it would be a bomb.
    static let expandedLimit = 1 << 24
    /// PyTorch's own limit.
    static let dimensionLimit = 64

    init(
        _ storage: PickledStorage, type: ElementType, offset: Int, shape: [Int], strides: [Int], mapping: FileMapping
    ) throws(TensorFileError) {
        func broken(_ problem: String) -> TensorFileError {
            .invalidTensor(path: mapping.path, storage: storage.record, problem: problem)
        }
        guard shape.count == strides.count else { throw broken("it has \(shape.count) extents and \(strides.count) strides") }
        guard let description = TensorDescription(name: "", type: type, shape: shape) else {
            throw broken("no tensor has the shape \(shape)")
        }
        guard offset >= 0, strides.allSatisfy({ $0 >= 0 }) else {
            throw broken("its offset \(offset) or a stride of \(strides) is negative")
        }
        var last = offset
        // An extent of 0 leaves nothing to reach; torch keeps whatever strides came with it.
        for (extent, stride) in zip(shape, strides) where description.elementCount > 0 {
            let (step, wide) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, wider) = last.addingReportingOverflow(step)
            guard !wide, !wider else { throw broken("the strides \(strides) reach beyond 63 bits") }
            last = sum
        }
        guard description.elementCount == 0 || last < storage.count else {
            throw broken("\(shape) with strides \(strides) from \(offset) reaches element \(last) of \(storage.count)")
        }
        guard description.elementCount <= max(storage.count, Self.expandedLimit) else {
            throw broken("it spreads \(storage.count) elements over \(description.elementCount)")
        }
        self.type = type
        self.shape = shape
        self.strides = strides
        self.storage = storage.record
        self.elementOffset = offset
        self.elementCount = description.elementCount
        self.mapping = mapping
        self.range = storage.range
        var expected = 1
        var isContiguous = true
        for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
            isContiguous = isContiguous && stride == expected
            // No overflow: the product of the extents fits. Where one is 0 the outcome is settled below.
            expected *= max(extent, 1)
        }
        self.isContiguous = isContiguous || description.elementCount == 0
    }

    public static func == (left: CheckpointTensor, right: CheckpointTensor) -> Bool {
        left.mapping === right.mapping && left.range == right.range && left.type == right.type && left.shape == right.shape
            && left.strides == right.strides && left.elementOffset == right.elementOffset
    }

    /// Lends the elements, row by row and little-endian: in place where the tensor is contiguous, else from a copy that ends with
    /// the call. They may be unaligned: read them with `loadUnaligned`.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try mapping.withBytes { file in
            let storage = UnsafeRawBufferPointer(rebasing: file[range])
            guard isContiguous else { return try gathered(storage).withUnsafeBytes(body) }
            guard elementCount > 0 else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
            let start = elementOffset * type.byteCount
            return try body(UnsafeRawBufferPointer(rebasing: storage[start..<start + byteCount]))
        }
    }

    func releasePages() { mapping.releasePages() }

    /// The elements as `Float`, row by row: rounded to nearest where the type holds more, 0 and 1 for booleans.
    public func floats() -> [Float] {
        withBytes { ElementConversion.floats($0, type) }
    }

    /// The elements in a row of their own.
    private func gathered(_ storage: UnsafeRawBufferPointer) -> [UInt8] {
        switch type.byteCount {
        case 1: gathered(storage, as: UInt8.self)
        case 2: gathered(storage, as: UInt16.self)
        case 4: gathered(storage, as: UInt32.self)
        default: gathered(storage, as: UInt64.self)
        }
    }

    private func gathered<Bits: FixedWidthInteger & BitwiseCopyable>(
        _ storage: UnsafeRawBufferPointer, as bits: Bits.Type
    ) -> [UInt8] {
        let width = MemoryLayout<Bits>.size
        // A scalar is contiguous, so there is a last dimension.
        // A stride along an extent of 1 leads nowhere, and may be any number.
        let steps = zip(shape, strides).map { extent, stride in extent > 1 ? stride : 0 }
        let (extent, step) = (shape[shape.count - 1], steps[steps.count - 1])
        return [UInt8](unsafeUninitializedCapacity: byteCount) { target, initialized in
            let target = UnsafeMutableRawBufferPointer(target)
            var index = [Int](repeating: 0, count: shape.count - 1)
            var row = elementOffset
            var written = 0
            while written < target.count {
                for column in 0..<extent {
                    let word = storage.loadUnaligned(fromByteOffset: (row + column * step) * width, as: Bits.self)
                    target.storeBytes(of: word, toByteOffset: written, as: Bits.self)
                    written += width
                }
                // The next row: the last index that is not at its end moves, those behind it begin again.
                for dimension in index.indices.reversed() {
                    index[dimension] += 1
                    row += steps[dimension]
                    if index[dimension] < shape[dimension] { break }
                    row -= steps[dimension] * shape[dimension]
                    index[dimension] = 0
                }
            }
            initialized = written
        }
    }
}
