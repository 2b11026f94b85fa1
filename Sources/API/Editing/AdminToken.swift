import Catalog
import Foundation

/// The secret that lets its bearer change the catalogue.
public struct AdminToken: Sendable {
    /// Why a text is no token, as a part of a sentence.
    public struct Unfit: Error, CustomStringConvertible {
        public let description: String
    }

    /// Fewer characters can be guessed.
    public static let leastLength = 16
    private static let mostLength = 512

    private let text: String
    private let digest: [UInt8]

    /// - Parameter text: a line of letters, digits and `-._~+/=`, as RFC 6750 has tokens; blanks and line breaks around it are dropped.
    /// - Throws: `Unfit`, without the text.
    public init(_ text: String) throws(Unfit) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { throw Unfit(description: "it is empty") }
        guard text.utf8.allSatisfy({ Self.isTokenByte($0) }) else {
            throw Unfit(description: "it holds other characters than letters, digits and -._~+/=")
        }
        guard text.utf8.count >= Self.leastLength else {
            throw Unfit(description: "it has \(text.utf8.count) characters, and a token has at least \(Self.leastLength)")
        }
        guard text.utf8.count <= Self.mostLength else {
            throw Unfit(description: "it has \(text.utf8.count) characters, and a token has at most \(Self.mostLength)")
        }
        self.text = text
        digest = Self.digest(text)
    }

    /// Whether somebody's token is this one. It takes the same time wherever the two differ: what is compared are their hashes, all of them.
    func matches(_ other: String) -> Bool {
        zip(digest, Self.digest(other)).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Whether an address holds the token, as it is or percent-encoded.
    func isIn(_ address: String) -> Bool {
        address.contains(text) || address.removingPercentEncoding?.contains(text) == true
    }

    private static func digest(_ text: String) -> [UInt8] { Array(ContentHash(of: Data(text.utf8)).hex.utf8) }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-._~+/=".utf8.contains(byte)
        }
    }
}
