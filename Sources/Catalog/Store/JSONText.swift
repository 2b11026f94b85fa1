import Foundation

/// Lists and dictionaries on their way into and out of one SQL parameter or column, as SQLite's JSON functions read them.
enum JSONText {
    static func array(_ strings: some Sequence<String>) -> String {
        // A list of strings always has a JSON form.
        (try? JSONEncoder().encode(Array(strings))).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }

    static func array(_ numbers: some Sequence<Int64>) -> String {
        "[" + numbers.map(String.init).joined(separator: ",") + "]"
    }

    static func object(_ text: String?) throws -> [String: String] {
        guard let text, text != "{}" else { return [:] }
        return try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
    }
}
