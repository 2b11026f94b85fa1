/// Why nothing can be measured. Each case carries what was found and what was expected.
public enum EvaluationError: Error, Equatable, Sendable {
    /// A choice of rows that is not `column=value`.
    case notAChoice(String)
    case noRows(source: String, splits: [String])
    /// A choice that fits no row.
    case noMatch(source: String, choice: String)
    case noColumn(source: String, column: String, columns: [String])
    case emptySide(source: String, queries: Int, gallery: Int)
    case nothingRelevant(source: String, column: String, columns: [String])
    case unknownSlice(source: String, slice: String, columns: [String])
    /// No row has what its caption is made of.
    case noCaptions(source: String, templates: [String], columns: [String])
    /// None of the pictures can be read; the last one's reason.
    case nothingReadable(source: String, pictures: Int, reason: String)
}

extension EvaluationError: CustomStringConvertible {
    public var description: String {
        func list(_ columns: [String]) -> String { columns.joined(separator: ", ") }
        switch self {
        case .notAChoice(let text):
            return "The choice of rows \(text) is not column=value."
        case .noRows(let source, let splits):
            return "\(source) has no row with split \(splits.joined(separator: " or "))."
        case .noMatch(let source, let choice):
            return "\(source): no chosen row has \(choice)."
        case .noColumn(let source, let column, let columns):
            return "\(source) has no column \(column); its columns are \(list(columns))."
        case .emptySide(let source, let queries, let gallery):
            return
                "\(source) has \(queries) query rows and \(gallery) gallery rows; choose with --leave-one-out, --query or --gallery."
        case .nothingRelevant(let source, let column, let columns):
            return
                "\(source): no query has another picture of its \(column) to find. Name a column whose equal values make pictures "
                + "relevant to each other with --relevant-by, such as category; the columns are \(list(columns))."
        case .unknownSlice(let source, let slice, let columns):
            return
                "\(source) can't be sliced by \(slice): expected a column, COLUMN-pair, same-COLUMN, positives or none; the columns are "
                + "\(list(columns))."
        case .noCaptions(let source, let templates, let columns):
            return
                "\(source): no row has the columns of \(templates.joined(separator: " or ")); its columns are \(list(columns))."
        case .nothingReadable(let source, let pictures, let reason):
            return
                "None of the \(pictures) pictures of \(source) that are to be measured can be read, the last one because \(reason)."
        }
    }
}
