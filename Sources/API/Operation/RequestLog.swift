import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// What a request is called in its answer and in the log.
enum RequestID {
    static let header = HTTPField.Name("X-Request-Id")

    /// What the client or a proxy calls it, where that is a short word of letters, digits and `-._`; else 128 random bits.
    static func of(_ headers: HTTPFields) -> String {
        if let header, let text = headers[header], (8...64).contains(text.utf8.count), text.utf8.allSatisfy(isWordByte) {
            return text
        }
        return String(UInt64.random(in: .min ... .max), radix: 16).leftPadded
            + String(UInt64.random(in: .min ... .max), radix: 16).leftPadded
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-._".utf8.contains(byte)
        }
    }
}

extension String {
    fileprivate var leftPadded: String { String(repeating: "0", count: max(0, 16 - utf8.count)) + self }
}

/// A line of the access log: who, what, how it went. Neither query strings nor bodies nor header fields: they are the client's own.
struct AccessEntry: Encodable {
    var time: Date
    let requestId: String
    let client: String
    let method: String
    let path: String
    /// As the router has it; absent for an address that is none.
    let route: String?
    let status: Int
    /// Absent where it is not known before it is sent.
    let bytes: Int?
    let ms: Double
    /// The code of an error.
    var error: String?

    /// For people; the request's id stands in the line's metadata.
    var text: String {
        "\(client) \(method) \(path) \(status) \(bytes.map(String.init) ?? "-") B \(ms) ms"
    }

    /// One JSON object without a line break.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        }
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

/// Where the access log goes: as lines for people among the program's other ones, or as one JSON object a line.
public enum AccessLog: Sendable {
    case lines
    case json(@Sendable (String) -> Void)

    func note(_ entry: @autoclosure () -> AccessEntry, _ logger: Logger) {
        switch self {
        case .lines: logger.info("\(entry().text)")
        case .json(let write): write(entry().json)
        }
    }
}
