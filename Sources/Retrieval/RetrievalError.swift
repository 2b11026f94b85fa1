public import TensorFiles

/// Why vectors could not be indexed, searched, read or measured. Each case carries what was found and what was expected.
public enum RetrievalError: Error, Equatable, Sendable {
    /// The floats of `what` are no whole number of vectors.
    case shape(what: String, found: Int, dimension: Int)
    case count(what: String, found: Int, expected: Int)
    case dimension(found: Int)
    /// Vectors of another dimension than those of the index.
    case otherDimension(found: Int, expected: Int)
    case notFinite(what: String, row: Int)
    case notUnitLength(what: String, row: Int, length: Float, tolerance: Float)
    case duplicateID(Int64)
    case descendingID(Int64, after: Int64)
    case resultCount(found: Int)
    case memory(bytes: Int)
    case tooManyVectors(found: Int, limit: Int)
    case file(TensorFileError)
    /// A file of tensors that is not what `EmbeddingFile` describes.
    case embeddingFile(path: String, key: String, found: String, expected: String)
    /// A file of a search segment that is not what `SegmentFile` describes.
    case segmentFile(path: String, key: String, found: String, expected: String)
    /// A row of an embedding file that can't be scaled to length 1.
    case noDirection(path: String, row: Int, image: String, isZero: Bool)
    /// Two rows of an embedding file for one picture.
    case differingVectors(path: String, image: String, first: Int, second: Int)
    /// A relative name in an embedding file that fits pictures of two folders.
    case ambiguousName(path: String, name: String, first: String, second: String)
    case rowOutOfRange(what: String, row: Int, count: Int)
    case repeatedRow(what: String, row: Int)
    case nothingToMeasure(queries: Int, gallery: Int)
    case pixelCount(found: Int, width: Int, height: Int)
}

extension RetrievalError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .shape(let what, let found, let dimension):
            "The \(what) hold \(found) numbers, expected a multiple of the dimension \(dimension)."
        case .count(let what, let found, let expected):
            "There are \(found) \(what), expected \(expected), one for each vector."
        case .dimension(let found):
            "Vectors have \(found) dimensions, expected at least 1."
        case .otherDimension(let found, let expected):
            "The vectors have \(found) dimensions, those of the index \(expected)."
        case .notFinite(let what, let row):
            "The \(what) hold a number that is not finite in row \(row) (counted from 0); expected vectors of unit length."
        case .notUnitLength(let what, let row, let length, let tolerance):
            "Row \(row) (counted from 0) of the \(what) has length \(length), expected 1 within \(tolerance)."
        case .duplicateID(let id):
            "The id \(id) stands twice; expected every id once."
        case .descendingID(let id, let last):
            "The id \(id) comes after \(last); expected ids in ascending order."
        case .resultCount(let found):
            "\(found) results were asked for, expected at least 1."
        case .memory(let bytes):
            "No memory for \(bytes) bytes of vectors."
        case .tooManyVectors(let found, let limit):
            "\(found) vectors are too many for one index, expected at most \(limit)."
        case .file(let error):
            error.description
        case .embeddingFile(let path, let key, let found, let expected),
            .segmentFile(let path, let key, let found, let expected):
            "\(path) is no embedding file: `\(key)` is \(found), expected \(expected)."
        case .noDirection(let path, let row, let image, let isZero):
            "\(path): the vector of \(image), row \(row) counted from 0, \(isZero ? "is all zeros" : "holds a number that is not finite"); expected one with a direction."
        case .differingVectors(let path, let image, let first, let second):
            "\(path) has two different vectors of \(image), in the rows \(first) and \(second) counted from 0; expected one vector for each picture."
        case .ambiguousName(let path, let name, let first, let second):
            "\(path) has a vector of \(name), which may be \(first) or \(second); expected absolute paths where two folders hold the same name."
        case .rowOutOfRange(let what, let row, let count):
            "The \(what) name row \(row), expected 0 to \(count - 1)."
        case .repeatedRow(let what, let row):
            "The \(what) name row \(row) twice; expected every row once."
        case .nothingToMeasure(let queries, let gallery):
            "None of \(queries) queries has a relevant picture among the \(gallery) of the gallery; expected at least one."
        case .pixelCount(let found, let width, let height):
            "A picture of \(width) × \(height) has \(found) bytes, expected 3 for each pixel and at least one pixel."
        }
    }
}
