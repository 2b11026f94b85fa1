public import Foundation
import CCrypto

/// SHA-256 (FIPS 180-4) by the system's libcrypto, which uses the processor's own instructions for it.
///
/// A class, since libcrypto's state lies behind a pointer; not `Sendable`: one thread feeds it. libcrypto fails here only where memory has
/// run out, which ends the process as an allocation of Swift's own does.
public final class SHA256 {
    private let context: OpaquePointer

    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("no memory for a SHA-256")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    public func update(_ bytes: UnsafeRawBufferPointer) {
        let fed = bytes.isEmpty ? 1 : EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(fed == 1, "libcrypto could not go on with a SHA-256")
    }

    public func update(_ bytes: some DataProtocol) {
        for region in bytes.regions { region.withUnsafeBytes { update($0) } }
    }

    /// The digest of what has been fed, as 64 lower-case hexadecimal digits; nothing can be added afterwards.
    public func hexDigest() -> String {
        let digits = Array("0123456789abcdef".utf8)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(EVP_MAX_MD_SIZE)) { digest in
            var count: UInt32 = 0
            precondition(EVP_DigestFinal_ex(context, digest.baseAddress, &count) == 1, "libcrypto could not end a SHA-256")
            return String(
                decoding: digest.prefix(Int(count)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
        }
    }

    /// The digest of some bytes, as 64 lower-case hexadecimal digits.
    public static func hexDigest(of bytes: some DataProtocol) -> String {
        let hash = SHA256()
        hash.update(bytes)
        return hash.hexDigest()
    }
}
