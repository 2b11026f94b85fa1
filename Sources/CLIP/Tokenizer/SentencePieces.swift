internal import CSentencePiece

/// A model as the library holds it: text to ids.
///
/// `@unchecked Sendable`: the handle is never changed after `init`, and the library's encoding only reads it.
final class SentencePieces: @unchecked Sendable {
    private let handle: OpaquePointer

    init(_ model: SentencePieceModel, path: String) throws(TokenizerError) {
        let bytes = model.serialized()
        var handle: OpaquePointer?
        let status = csp_model_load(bytes, bytes.count, &handle)
        guard status == CSP_OK, let handle else {
            let reason = String(cString: csp_last_error())
            throw status == CSP_ERR_LIBRARY
                ? .noSentencePiece(path: path, reason: reason) : .notASentencePieceModel(path: path, reason: reason)
        }
        self.handle = handle
    }

    deinit { csp_model_free(handle) }

    /// Ids of a text in UTF-8; empty if the library can't encode it, which no checked model is known to bring about.
    func encode(_ text: [UInt8]) -> [Int32] {
        var ids: UnsafeMutablePointer<Int32>?
        var count = 0
        let status = text.withUnsafeBytes { text in
            csp_encode(handle, text.baseAddress?.assumingMemoryBound(to: CChar.self), text.count, &ids, &count)
        }
        defer { csp_ids_free(ids) }
        return status == CSP_OK ? Array(UnsafeBufferPointer(start: ids, count: count)) : []
    }
}
