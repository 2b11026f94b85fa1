import Foundation
import TensorFiles

/// A JSON object of a checkpoint folder, read with errors that name the file and the key.
struct JSONFile {
    let path: String
    let object: [String: Any]

    init(path: String) throws(CLIPError) {
        self.path = path
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw .unreadable(
                path: path, reason: FileManager.default.fileExists(atPath: path) ? "no permission" : "there is no such file")
        }
        do {
            guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
                throw CLIPError.notJSON(path: path, reason: "it holds another kind of value")
            }
            self.object = object
        } catch let error as CLIPError {
            throw error
        } catch {
            throw .notJSON(path: path, reason: "it is not well formed")
        }
    }

    private init(path: String, object: [String: Any]) {
        self.path = path
        self.object = object
    }

    /// An inner object; empty where the key is absent.
    func section(_ key: String) throws(CLIPError) -> JSONFile {
        guard let value = object[key], !(value is NSNull) else { return JSONFile(path: path, object: [:]) }
        guard let section = value as? [String: Any] else { throw wrong(key, value, "an object") }
        return JSONFile(path: path, object: section)
    }

    func has(_ key: String) -> Bool { object[key] != nil && !(object[key] is NSNull) }

    func integer(_ key: String, default value: Int? = nil) throws(CLIPError) -> Int {
        guard has(key) else { return try orMissing(value, key) }
        guard let whole = JSONKind.number(object[key]).flatMap({ Int(exactly: $0) }), whole > 0 else {
            throw wrong(key, object[key], "a positive whole number")
        }
        return whole
    }

    func number(_ key: String, default value: Double? = nil) throws(CLIPError) -> Double {
        guard has(key) else { return try orMissing(value, key) }
        guard let number = JSONKind.number(object[key]) else { throw wrong(key, object[key], "a number") }
        return number
    }

    func bool(_ key: String, default value: Bool? = nil) throws(CLIPError) -> Bool {
        guard has(key) else { return try orMissing(value, key) }
        guard let flag = JSONKind.truth(object[key]) else { throw wrong(key, object[key], "true or false") }
        return flag
    }

    func string(_ key: String, default value: String? = nil) throws(CLIPError) -> String {
        guard has(key) else { return try orMissing(value, key) }
        guard let text = object[key] as? String else { throw wrong(key, object[key], "a text") }
        return text
    }

    func floats(_ key: String, count: Int, default value: [Float]? = nil) throws(CLIPError) -> [Float] {
        guard has(key) else { return try orMissing(value, key) }
        let numbers = (object[key] as? [Any])?.compactMap(JSONKind.number) ?? []
        guard numbers.count == count, (object[key] as? [Any])?.count == count else {
            throw wrong(key, object[key], "\(count) numbers")
        }
        return numbers.map { Float($0) }
    }

    func wrong(_ key: String, _ found: Any?, _ expected: String) -> CLIPError {
        .wrongValue(path: path, key: key, found: found.map { String(describing: $0) } ?? "absent", expected: expected)
    }

    private func orMissing<Value>(_ value: Value?, _ key: String) throws(CLIPError) -> Value {
        guard let value else { throw .missingKey(path: path, key: key) }
        return value
    }

    /// Writes an object with sorted keys.
    static func write(_ object: [String: Any], to path: String) throws {
        let data: Data
        do {
            data = try JSONSerialization.data(
                withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        } catch {
            throw CLIPError.noWrite(path: path, reason: error.phrase)
        }
        try ReplacingFile.put(data, at: path)
    }
}

/// What a value that Foundation read from JSON is. Its numbers pass for true and false in Swift, and true for 1.
package enum JSONKind {
    /// A number; `nil` for anything else, `true` included.
    package static func number(_ value: Any?) -> Double? {
        guard let number = value as? NSNumber, !isTruth(number) else { return nil }
        return number.doubleValue
    }

    /// `true` or `false`; `nil` for anything else, 1 included.
    package static func truth(_ value: Any?) -> Bool? {
        guard let number = value as? NSNumber, isTruth(number) else { return nil }
        return number.boolValue
    }

    /// Foundation keeps truth values in a C `bool` or `char`, numbers of JSON in neither.
    private static func isTruth(_ number: NSNumber) -> Bool { ["c", "B"].contains(String(cString: number.objCType)) }
}

extension Error {
    /// What the system says, as a part of a sentence: the last of Foundation's sentences, without its full stop.
    package var phrase: String {
        let text = localizedDescription
        let last = text.ranges(of: ". ").last.map { text[$0.upperBound...] } ?? text[...]
        return String(last.hasSuffix(".") ? last.dropLast() : last)
    }
}
