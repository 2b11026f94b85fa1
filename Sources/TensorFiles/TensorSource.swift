/// Named tensors of one or more mapped files: a safetensors file, its shards, or the tensors of a PyTorch checkpoint.
public protocol TensorSource: AnyObject, Sendable {
    /// The file that the user named.
    var path: String { get }
    var tensors: [String: TensorDescription] { get }
    /// Every key of `tensors` once, in the order of the file.
    var names: [String] { get }

    /// Whether the bytes that `withBytes` lends are those of the mapped file, so that they stay valid and unchanged as long as
    /// this source is referenced; false where elements are gathered into a copy that ends with the call, and for unknown names.
    func liesInPlace(_ name: String) -> Bool

    /// Lends a tensor's elements, row by row and little-endian. They may be unaligned: read them with `loadUnaligned`.
    /// - Throws: `TensorFileError.noSuchTensor`, or what `body` throws.
    func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R

    /// Lets go of the memory that elements read so far occupy; what is touched again is read again. For whoever copies a large file's
    /// tensors one after the other.
    func releasePages()

    /// A tensor's elements as `Float`, row by row; F64 is rounded to nearest, the narrower formats are exact.
    /// - Throws: `.noSuchTensor`, or `.notFloatingPoint` for integers and booleans.
    func floats(_ name: String) throws(TensorFileError) -> [Float]
}

extension TensorSource {
    /// Lends numbers that were computed as the bytes of an F32 tensor.
    static func lend<R>(_ floats: [Float], to body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        #if _endian(little)
            return try floats.withUnsafeBytes(body)
        #else
            return try floats.map(\.bitPattern.littleEndian).withUnsafeBytes(body)
        #endif
    }
}
