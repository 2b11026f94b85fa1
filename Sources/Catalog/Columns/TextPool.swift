/// Texts by number, as one run of bytes: a hundred thousand titles without an object each.
struct TextPool: Sendable {
    private var bytes: [UInt8] = []
    /// Where each text ends; it begins where the one before ends.
    private var ends: [Int] = []

    var count: Int { ends.count }

    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        ends.append(bytes.count)
    }

    subscript(number: Int) -> String { String(decoding: bytes[range(number)], as: UTF8.self) }

    /// Whether a text is this one, byte by byte.
    func holds(_ text: String, at number: Int) -> Bool {
        let range = range(number)
        var text = text
        return text.withUTF8 { $0.count == range.count && $0.elementsEqual(bytes[range]) }
    }

    /// Whether a text stands before another in the order of their bytes, which is SQLite's.
    func precedes(_ number: Int, _ other: Int) -> Bool { bytes[range(number)].lexicographicallyPrecedes(bytes[range(other)]) }

    private func range(_ number: Int) -> Range<Int> { (number == 0 ? 0 : ends[number - 1])..<ends[number] }
}
