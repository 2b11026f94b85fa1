import CLIP
import Foundation

/// A JSON object of a recipe that one description both reads and writes, key by key: every call names the key, the value to be written
/// (nil while reading), and what is allowed. So what was written can be read, whatever is added later.
///
/// After reading the object is closed: a key that nobody asked for is an error, so a misspelt one never passes for its default.
final class RecipeForm {
    private let path: String
    private let place: String
    private var rest: [String: Any]
    private var known: [String] = []
    /// What has been written.
    private(set) var object: [String: Any] = [:]

    /// To read a file.
    init(path: String) throws(TrainingError) {
        self.path = path
        place = ""
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            let exists = FileManager.default.fileExists(atPath: path)
            throw .unreadableRecipe(path: path, reason: exists ? "no permission" : "there is no such file")
        }
        do {
            guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
                throw TrainingError.unreadableRecipe(path: path, reason: "it is not a JSON object")
            }
            rest = object
        } catch let error as TrainingError {
            throw error
        } catch {
            throw .unreadableRecipe(path: path, reason: "it is not well-formed JSON")
        }
    }

    /// To write, or to read an object that is there already.
    init(object: [String: Any] = [:], path: String = "", place: String = "") {
        self.path = path
        self.place = place
        rest = object
    }

    private func full(_ key: String) -> String { place.isEmpty ? key : "\(place).\(key)" }

    private func take(_ key: String) -> Any? {
        known.append(key)
        guard let value = rest.removeValue(forKey: key), !(value is NSNull) else { return nil }
        return value
    }

    func wrong(_ key: String, _ found: Any, _ expected: String) -> TrainingError {
        .wrongValue(path: path, key: full(key), found: String(describing: found), expected: expected)
    }

    func missing(_ key: String) -> TrainingError { .missingKey(path: path, key: full(key)) }

    /// Whether an object is to be read at this key.
    func holdsObject(_ key: String) -> Bool { rest[key] is [String: Any] }

    /// Passes what is to be read through `change`.
    func rewrite(_ change: ([String: Any]) -> [String: Any]) { rest = change(rest) }

    /// To be called when everything known has been read.
    func close() throws(TrainingError) {
        if let key = rest.keys.min() { throw .unknownKey(path: path, key: full(key), known: Array(Set(known))) }
    }

    /// One value: written if there is one to be written, else read and judged by `parse`.
    private func entry<Value>(
        _ key: String, _ value: Value?, _ expected: String, json: (Value) -> Any, parse: (Any) -> Value?
    ) throws(TrainingError) -> Value? {
        if let value {
            object[key] = json(value)
            return value
        }
        guard let found = take(key) else { return nil }
        guard let parsed = parse(found) else { throw wrong(key, found, expected) }
        return parsed
    }

    private func orMissing<Value>(_ found: Value?, _ value: Value?, _ key: String) throws(TrainingError) -> Value {
        guard let found = found ?? value else { throw missing(key) }
        return found
    }

    /// An inner object, described by `read`; nil where it is absent.
    func section<Value>(
        _ key: String, _ value: Value?, _ read: (RecipeForm, Value?) throws(TrainingError) -> Value
    ) throws(TrainingError) -> Value? {
        if let value {
            let inner = RecipeForm(path: path, place: full(key))
            _ = try read(inner, value)
            object[key] = inner.object
            return value
        }
        guard let found = take(key) else { return nil }
        guard let object = found as? [String: Any] else { throw wrong(key, found, "an object") }
        let inner = RecipeForm(object: object, path: path, place: full(key))
        let result = try read(inner, nil)
        try inner.close()
        return result
    }

    /// A list of objects, each described by `read`; nil where it is absent.
    func sections<Value>(
        _ key: String, _ values: [Value]?, _ read: (RecipeForm, Value?) throws(TrainingError) -> Value
    ) throws(TrainingError) -> [Value]? {
        func place(_ index: Int) -> String { "\(full(key))[\(index)]" }
        if let values {
            var objects: [[String: Any]] = []
            for (index, value) in values.enumerated() {
                let inner = RecipeForm(path: path, place: place(index))
                _ = try read(inner, value)
                objects.append(inner.object)
            }
            object[key] = objects
            return values
        }
        guard let found = take(key) else { return nil }
        guard let objects = found as? [[String: Any]] else { throw wrong(key, found, "a list of objects") }
        var results: [Value] = []
        for (index, object) in objects.enumerated() {
            let inner = RecipeForm(object: object, path: path, place: place(index))
            results.append(try read(inner, nil))
            try inner.close()
        }
        return results
    }
}

extension RecipeForm {
    func optionalString(_ key: String, _ value: String?) throws(TrainingError) -> String? {
        try entry(key, value, "a text", json: { $0 }, parse: { $0 as? String })
    }

    func string(_ key: String, _ value: String?, default other: String? = nil) throws(TrainingError) -> String {
        try orMissing(try optionalString(key, value), other, key)
    }

    func strings(_ key: String, _ value: [String]?, default other: [String]? = nil) throws(TrainingError) -> [String] {
        try orMissing(
            try entry(key, value, "a list of texts", json: { $0 }, parse: { $0 as? [String] }), other, key)
    }

    /// One text or a list of them.
    func oneOrMore(_ key: String, _ value: [String]?, default other: [String]) throws(TrainingError) -> [String] {
        try entry(
            key, value, "a text or a list of texts", json: { $0.count == 1 ? $0[0] as Any : $0 },
            parse: { found in
                if let text = found as? String { return text.isEmpty ? nil : [text] }
                return (found as? [String]).flatMap { $0.isEmpty || $0.contains("") ? nil : $0 }
            }) ?? other
    }

    func flag(_ key: String, _ value: Bool?, default other: Bool) throws(TrainingError) -> Bool {
        try entry(key, value, "true or false", json: { $0 }, parse: { JSONKind.truth($0) }) ?? other
    }

    func optionalInteger(_ key: String, _ value: Int?, in range: ClosedRange<Int>) throws(TrainingError) -> Int? {
        try entry(
            key, value, "a whole number in \(range.lowerBound)...\(range.upperBound)", json: { $0 },
            parse: { JSONKind.number($0).flatMap { Int(exactly: $0) }.flatMap { range.contains($0) ? $0 : nil } })
    }

    func integer(_ key: String, _ value: Int?, in range: ClosedRange<Int>, default other: Int? = nil) throws(TrainingError)
        -> Int
    {
        try orMissing(try optionalInteger(key, value, in: range), other, key)
    }

    func integers(_ key: String, _ value: [Int]?, count: ClosedRange<Int>, in range: ClosedRange<Int>) throws(TrainingError)
        -> [Int]
    {
        let found = try orMissing(try optionalIntegers(key, value, count: count, in: range), nil, key)
        guard !found.isEmpty else {
            throw wrong(key, "an empty list", "whole numbers in \(range.lowerBound)...\(range.upperBound)")
        }
        return found
    }

    /// An empty list is none.
    func optionalIntegers(
        _ key: String, _ value: [Int]?, count: ClosedRange<Int>, in range: ClosedRange<Int>
    ) throws(TrainingError) -> [Int]? {
        let number = count.lowerBound == count.upperBound ? "\(count.lowerBound) " : ""
        return try entry(
            key, value, "\(number)whole numbers in \(range.lowerBound)...\(range.upperBound)", json: { $0 },
            parse: { found in
                guard let list = found as? [Any] else { return nil }
                if list.isEmpty { return count.lowerBound == 1 ? [] : nil }
                guard count.contains(list.count) else { return nil }
                let whole = list.compactMap { JSONKind.number($0).flatMap { Int(exactly: $0) } }
                return whole.count == list.count && whole.allSatisfy(range.contains) ? whole : nil
            })
    }

    func optionalNumber(_ key: String, _ value: Double?, in range: ClosedRange<Double>) throws(TrainingError) -> Double? {
        try entry(
            key, value, "a number in \(range.lowerBound)...\(range.upperBound)", json: { $0 },
            parse: { JSONKind.number($0).flatMap { range.contains($0) ? $0 : nil } })
    }

    func number(_ key: String, _ value: Double?, in range: ClosedRange<Double>, default other: Double? = nil)
        throws(TrainingError) -> Double
    {
        try orMissing(try optionalNumber(key, value, in: range), other, key)
    }

    func range(
        _ key: String, _ value: ClosedRange<Double>?, within limits: ClosedRange<Double>,
        default other: ClosedRange<Double>? = nil
    ) throws(TrainingError) -> ClosedRange<Double> {
        try orMissing(
            try entry(
                key, value, "two rising numbers within \(limits.lowerBound)...\(limits.upperBound)",
                json: { [$0.lowerBound, $0.upperBound] },
                parse: { found in
                    let numbers = (found as? [Any])?.map { JSONKind.number($0) ?? .nan } ?? []
                    guard numbers.count == 2, numbers[0] <= numbers[1], limits.contains(numbers[0]), limits.contains(numbers[1])
                    else { return nil }
                    return numbers[0]...numbers[1]
                }), other, key)
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _ value: Choice?, default other: Choice? = nil
    ) throws(TrainingError) -> Choice where Choice.RawValue == String {
        try orMissing(
            try entry(
                key, value, Choice.allCases.map(\.rawValue).joined(separator: " or "), json: { $0.rawValue },
                parse: { ($0 as? String).flatMap { Choice(rawValue: $0) } }), other, key)
    }
}
