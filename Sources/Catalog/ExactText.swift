import Foundation

/// A text that is compared byte by byte, as file systems and SQLite compare it.
///
/// `String` holds two spellings that differ in Unicode normalisation alone (`ü` as one letter, or as `u` and two dots) for equal. Paths keep the
/// bytes that are on the disk, so whatever is looked up by a path is looked up by this.
struct ExactText: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (one: ExactText, other: ExactText) -> Bool {
        // Over the bytes themselves: over the views of them it takes several times as long.
        var (one, other) = (one.text, other.text)
        return one.withUTF8 { one in other.withUTF8 { other in one.count == other.count && one.elementsEqual(other) } }
    }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension String {
    /// The one spelling in which ids, keys and values are kept: normalisation form C. Paths are not: they keep their bytes.
    public var oneSpelling: String { isASCII ? self : precomposedStringWithCanonicalMapping }

    var isASCII: Bool { utf8.allSatisfy { $0 < 0x80 } }
}
