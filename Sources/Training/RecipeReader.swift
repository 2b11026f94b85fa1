import CLIP
import Foundation

/// A JSON object of a recipe that is read key by key and then closed: a key that nobody asked for is an error, so a misspelt one never
/// passes for its default.
final class RecipeReader {
    private let path: String
    private let place: String
    private var rest: [String: Any]
    private var known: [String] = []

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

    private init(path: String, place: String, object: [String: Any]) {
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

    /// To be called when everything known has been read.
    func close() throws(TrainingError) {
        if let key = rest.keys.min() { throw .unknownKey(path: path, key: full(key), known: known) }
    }

    /// An inner object, read and closed by `read`; nil where it is absent.
    func section<Value>(_ key: String, _ read: (RecipeReader) throws(TrainingError) -> Value) throws(TrainingError) -> Value? {
        guard let value = take(key) else { return nil }
        guard let object = value as? [String: Any] else { throw wrong(key, value, "an object") }
        let inner = RecipeReader(path: path, place: full(key), object: object)
        let result = try read(inner)
        try inner.close()
        return result
    }

    func sections<Value>(_ key: String, _ read: (RecipeReader) throws(TrainingError) -> Value) throws(TrainingError) -> [Value]? {
        guard let value = take(key) else { return nil }
        guard let objects = value as? [[String: Any]] else { throw wrong(key, value, "a list of objects") }
        var results: [Value] = []
        for (index, object) in objects.enumerated() {
            let inner = RecipeReader(path: path, place: "\(full(key))[\(index)]", object: object)
            results.append(try read(inner))
            try inner.close()
        }
        return results
    }

    func string(_ key: String, default value: String? = nil) throws(TrainingError) -> String {
        guard let found = take(key) else { return try orMissing(value, key) }
        guard let text = found as? String else { throw wrong(key, found, "a text") }
        return text
    }

    func strings(_ key: String, default value: [String]? = nil) throws(TrainingError) -> [String] {
        guard let found = take(key) else { return try orMissing(value, key) }
        guard let texts = found as? [String] else { throw wrong(key, found, "a list of texts") }
        return texts
    }

    func integer(_ key: String, in range: ClosedRange<Int>, default value: Int? = nil) throws(TrainingError) -> Int {
        guard let found = take(key) else { return try orMissing(value, key) }
        guard let whole = JSONKind.number(found).flatMap({ Int(exactly: $0) }), range.contains(whole) else {
            throw wrong(key, found, "a whole number in \(range.lowerBound)...\(range.upperBound)")
        }
        return whole
    }

    func integers(_ key: String, count: Int, in range: ClosedRange<Int>, default value: [Int]? = nil) throws(TrainingError)
        -> [Int]
    {
        guard let found = take(key) else { return try orMissing(value, key) }
        let numbers = (found as? [Any])?.map { JSONKind.number($0).flatMap { Int(exactly: $0) } } ?? []
        let whole = numbers.compactMap { $0 }
        guard numbers.count == count, whole.count == count, whole.allSatisfy(range.contains) else {
            throw wrong(key, found, "\(count) whole numbers in \(range.lowerBound)...\(range.upperBound)")
        }
        return whole
    }

    func number(_ key: String, in range: ClosedRange<Double>, default value: Double? = nil) throws(TrainingError) -> Double {
        guard let found = take(key) else { return try orMissing(value, key) }
        guard let number = JSONKind.number(found), range.contains(number) else {
            throw wrong(key, found, "a number in \(range.lowerBound)...\(range.upperBound)")
        }
        return number
    }

    func range(_ key: String, within limits: ClosedRange<Double>, default value: ClosedRange<Double>? = nil)
        throws(TrainingError) -> ClosedRange<Double>
    {
        guard let found = take(key) else { return try orMissing(value, key) }
        guard let numbers = (found as? [Any])?.map({ JSONKind.number($0) ?? .nan }), numbers.count == 2, numbers[0] <= numbers[1],
            limits.contains(numbers[0]), limits.contains(numbers[1])
        else { throw wrong(key, found, "two rising numbers within \(limits.lowerBound)...\(limits.upperBound)") }
        return numbers[0]...numbers[1]
    }

    func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, default value: Choice? = nil) throws(TrainingError)
        -> Choice
    where Choice.RawValue == String {
        guard let found = take(key) else { return try orMissing(value, key) }
        guard let text = found as? String, let choice = Choice(rawValue: text) else {
            throw wrong(key, found, Choice.allCases.map(\.rawValue).joined(separator: " or "))
        }
        return choice
    }

    private func orMissing<Value>(_ value: Value?, _ key: String) throws(TrainingError) -> Value {
        guard let value else { throw missing(key) }
        return value
    }
}
