/// Why a search could not be answered.
public enum SearchError: TransientError, Equatable, Sendable {
    case limit(Int)
    case minimumScore(Double)
    case noVectors(model: String, catalog: String)
    case dimension(found: Int, expected: Int)
    case storedDimension(model: String, found: Int, expected: Int)
    case emptyText
    case nothingWanted
    case tooManyTerms(Int)
    case weight(Double)
    case diversity(Double)
    case boost(Double)
    /// The sum of the terms' vectors has no direction.
    case termsCancel
    case takesNoText(model: String)
    case unknownProduct(String)
    case unknownImage(Int64)
    case notEmbedded(what: String, model: String)
    /// What an index on another machine keeps of a picture is not what `RowDocument` describes.
    case unreadableRow(Int64)
    /// The machine that searches the vectors does not answer.
    case indexUnavailable
    /// So many searches run or wait already.
    case overloaded(waiting: Int)

    public var isTransient: Bool {
        switch self {
        case .overloaded, .indexUnavailable: true
        default: false
        }
    }
}

extension SearchError {
    public var description: String {
        switch self {
        case .limit(let found):
            "The number of results is \(found), expected \(SearchQuery.limits.lowerBound) to \(SearchQuery.limits.upperBound)."
        case .minimumScore(let found): "The minimum score is \(found), expected a cosine similarity from -1 to 1."
        case .noVectors(let model, let catalog):
            "The catalogue \(catalog) has no vectors of the model \(model); make them with `stylefinder embed`."
        case .dimension(let found, let expected): "The query vector has \(found) numbers, the model's have \(expected)."
        case .storedDimension(let model, let found, let expected):
            "The catalogue's vectors of \(model) have \(found) numbers, the model makes \(expected); embed into a new catalogue."
        case .emptyText: "The text to search for has no word in it."
        case .nothingWanted: "The search says only what is not wanted; name a picture, a text or a product to look for."
        case .tooManyTerms(let found): "The search has \(found) terms, at most \(SearchQuery.termLimit) are taken."
        case .weight(let found):
            "The weight of a term is \(found), expected a number from -\(Int(SearchQuery.weightLimit)) to \(Int(SearchQuery.weightLimit)) that is not 0."
        case .diversity(let found): "The diversity is \(found), expected a number from 0 to 1."
        case .boost(let found): "The weight of a boost is \(found), expected a number from 0.01 to 1."
        case .termsCancel: "What is wanted and what is not cancel each other out; change a weight or leave a term out."
        case .takesNoText(let model):
            "The model \(model) takes pictures only; search by a picture, or with a model that takes texts."
        case .unknownProduct(let id): "There is no product \(id) in the catalogue."
        case .unknownImage(let id): "There is no picture \(id) in the catalogue."
        case .notEmbedded(let what, let model):
            "\(what) has no vector of the model \(model) yet; make it with `stylefinder embed`."
        case .unreadableRow(let id):
            "What the index keeps of the picture \(id) can't be read; fill it anew with `stylefinder index sync --rebuild`."
        case .indexUnavailable: "The index that is searched does not answer; try again in a moment."
        case .overloaded(let waiting): "\(waiting) searches are waiting already; try again in a moment."
        }
    }
}
