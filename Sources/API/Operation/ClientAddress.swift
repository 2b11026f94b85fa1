import Foundation
import HTTPTypes

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A network as it is written: `10.0.0.0/8`, `fd00::/8`, or one address.
public struct Network: Sendable, Equatable {
    /// 16 bytes; an address of IPv4 is the one that IPv6 has for it.
    private let bytes: [UInt8]
    private let prefix: Int

    /// nil for what is no network.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let bytes = Self.bytes(String(parts[0])) else { return nil }
        let offset = parts[0].contains(":") ? 0 : 96
        var prefix = 128
        if parts.count == 2 {
            guard let number = Int(parts[1]), String(number) == parts[1], (0...(128 - offset)).contains(number) else {
                return nil
            }
            prefix = number + offset
        }
        self.bytes = bytes
        self.prefix = prefix
    }

    func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(address) else { return false }
        let whole = prefix / 8
        guard bytes.prefix(whole) == other.prefix(whole) else { return false }
        guard prefix % 8 > 0 else { return true }
        let mask = UInt8.max << UInt8(8 - prefix % 8)
        return bytes[whole] & mask == other[whole] & mask
    }

    /// The 16 bytes of an address; nil for what is none.
    static func bytes(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            return [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + withUnsafeBytes(of: &four) { Array($0) }
        }
        var six = in6_addr()
        // A zone stands behind addresses of one link.
        guard inet_pton(AF_INET6, String(text.prefix { $0 != "%" }), &six) == 1 else { return nil }
        return withUnsafeBytes(of: &six) { Array($0) }
    }
}

/// Who asks, where a proxy asks for others.
enum ClientAddress {
    private static let forwarded = HTTPField.Name("X-Forwarded-For")

    /// The address that a trusted proxy says it asks for, else that of the connection. Each proxy adds who asked it at the end; what stands before the
    /// last one that is not trusted may be made up.
    static func of(_ headers: HTTPFields, peer: String, trusted: [Network]) -> String {
        func isTrusted(_ address: String) -> Bool { trusted.contains { $0.contains(address) } }
        guard !trusted.isEmpty, isTrusted(peer), let forwarded else { return peer }
        let chain = headers[values: forwarded].flatMap { $0.split(separator: ",") }.map { entry in
            plain(entry.trimmingCharacters(in: .whitespaces))
        }
        var client = peer
        for address in chain.reversed() {
            guard Network.bytes(address) != nil else { break }
            client = address
            if !isTrusted(address) { break }
        }
        return client
    }

    /// Without a port: some proxies write one.
    private static func plain(_ text: String) -> String {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return String(text[text.index(after: text.startIndex)..<end])
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 ? String(parts[0]) : text
    }
}
