import Foundation

/// Text as a page has it.
enum Markup {
    /// Safe as text and in a quoted attribute: what means something to HTML is written out, and control characters, which no page may
    /// hold, are blanks.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            default:
                let value = scalar.value
                let isControl =
                    value < 0x20 || (0x7F...0x9F).contains(value) || value & 0xFFFE == 0xFFFE
                    || (0xFDD0...0xFDEF).contains(value)
                if isControl { result += " " } else { result.unicodeScalars.append(scalar) }
            }
        }
        return result
    }

    /// An element of escaped text.
    static func element(_ name: String, _ text: String, class style: String? = nil) -> String {
        "<\(name)\(style.map { " class=\"\($0)\"" } ?? "")>\(escaped(text))</\(name)>"
    }

    /// Bytes as an address that holds them.
    static func data(_ bytes: [UInt8], type: String) -> String { "data:\(type);base64,\(Data(bytes).base64EncodedString())" }
}
