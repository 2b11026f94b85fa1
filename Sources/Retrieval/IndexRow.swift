public import BitCollections

/// What an index on another machine keeps of an image: its vector, and beside it what it filters, groups and answers with, so that it needs no list
/// of ids from whoever asks.
public struct IndexRow: Sendable, Equatable {
    /// Above 0.
    public var id: Int64
    /// Of the product that the image shows: what results are grouped by.
    public var product: String
    /// Of unit length.
    public var vector: [Float]
    /// What `RowFilter` may ask for, each once.
    public var terms: [String]
    /// By key, the numbers that a range is compared with.
    public var numbers: [String: [Double]]
    /// A JSON object with what an answer shows, in UTF-8.
    public var document: [UInt8]

    public init(
        id: Int64, product: String, vector: [Float], terms: [String], numbers: [String: [Double]], document: [UInt8]
    ) {
        self.id = id
        self.product = product
        self.vector = vector
        self.terms = terms
        self.numbers = numbers
        self.document = document
    }
}

/// Which rows a search may find: clauses, all of which have to hold.
public struct RowFilter: Sendable, Equatable {
    /// Numbers of a key between two bounds, both included; nil is no bound.
    public struct Range: Sendable, Equatable {
        public var key: String
        public var from: Double?
        public var to: Double?

        public init(key: String, from: Double?, to: Double?) {
            self.key = key
            self.from = from
            self.to = to
        }
    }

    /// One of its terms or ranges has to hold; of none, none does.
    public struct Clause: Sendable, Equatable {
        public var terms: [String]
        public var ranges: [Range]

        public init(terms: [String] = [], ranges: [Range] = []) {
            self.terms = terms
            self.ranges = ranges
        }
    }

    public var clauses: [Clause]

    public init(clauses: [Clause] = []) { self.clauses = clauses }

    /// Whether a row may be found.
    public func admits(_ row: IndexRow) -> Bool {
        clauses.allSatisfy { clause in
            clause.terms.contains(where: row.terms.contains)
                || clause.ranges.contains { range in
                    row.numbers[range.key, default: []].contains { $0 >= range.from ?? -.infinity && $0 <= range.to ?? .infinity }
                }
        }
    }
}

/// A row as an index keeps it for whoever shows it.
public struct KeptRow: Sendable, Equatable {
    public var id: Int64
    /// As `IndexRow.document` has it.
    public var document: [UInt8]

    public init(id: Int64, document: [UInt8]) {
        self.id = id
        self.document = document
    }
}

/// A copy of what an index on another machine keeps of its rows.
public protocol RowSink: Sendable {
    /// How many rows it has.
    var count: Int { get }
    /// The language of the texts in the documents, in two letters, where it is known.
    func take(language: String?) throws
    /// Takes rows, new or in place of those with their ids.
    func take(_ rows: [KeptRow]) throws
    /// Drops all other rows.
    func keep(only ids: BitSet) throws
    /// The ids among these that it has no row of.
    func lacks(_ ids: BitSet) -> [Int64]
}

/// Rows that an index on another machine is made equal to: a catalogue at one moment, for one model.
public protocol RowSource: Sendable {
    /// What tells the catalogue from every other one.
    var identity: String { get }
    /// The position in its log of changes that these rows reflect; changes after it may be in them, too.
    var position: Int64 { get }
    /// The images that may have a row, in ascending order.
    var ids: [Int64] { get }
    /// The language of the texts in the documents, in two letters, where it is known.
    var language: String? { get }

    /// What tells the catalogue's history up to a position from another that began the same; nil where its log does not reach back so far.
    func mark(at position: Int64) throws -> String?
    /// The images whose row may have come, changed or gone after a position, in ascending order; nil where the log can't tell.
    func touched(after position: Int64) throws -> [Int64]?
    /// The rows of some images; of those that have none, none comes.
    func rows(_ ids: some Sequence<Int64>) throws -> [IndexRow]
    /// How many rows there are.
    func count() throws -> Int
    /// The same catalogue as it is now.
    func current() throws -> Self
}
