/// What queries are ranked against: the pictures of a gallery, or its products.
struct Candidates: Sendable {
    /// What is scored: the gallery's pictures, or a centroid for each product.
    let rows: VectorRows
    /// The candidate of each of `rows`; nil where every row is a candidate of its own.
    let candidateOfRow: [UInt32]?
    /// The gallery's rows by candidate, each in the gallery's order.
    private let members: [[Int]]
    /// The candidate of each row of the set; nil for a row that is not in the gallery.
    private let candidateOfSetRow: [UInt32?]
    /// The place in the gallery of each row of the set.
    private let placeOfSetRow: [Int?]
    /// The candidates with rows of a label, ascending, and how many of them each has.
    private let candidatesOfLabel: [String: [(candidate: UInt32, rows: Int)]]
    private let level: RankingLevel
    private let set: LabelledVectors

    var count: Int { members.count }

    /// - Throws: `.rowOutOfRange`, `.repeatedRow`, `.memory`.
    init(_ set: LabelledVectors, gallery: [Int], level: RankingLevel) throws(RetrievalError) {
        placeOfSetRow = try Self.places(gallery, what: "gallery", count: set.count)
        var candidateOfPlace: [UInt32] = []
        candidateOfPlace.reserveCapacity(gallery.count)
        if level == .image {
            candidateOfPlace = gallery.indices.map { UInt32($0) }
            members = gallery.map { [$0] }
        } else {
            var numbers: [String: UInt32] = [:]
            var members: [[Int]] = []
            for row in gallery {
                let number = numbers[set.products[row], default: UInt32(members.count)]
                if Int(number) == members.count { members.append([]) }
                numbers[set.products[row]] = number
                members[Int(number)].append(row)
                candidateOfPlace.append(number)
            }
            self.members = members
        }
        candidateOfSetRow = placeOfSetRow.map { place in place.map { candidateOfPlace[$0] } }
        candidateOfRow = level == .productBest ? candidateOfPlace : nil
        var candidatesOfLabel: [String: [UInt32: Int]] = [:]
        for (place, row) in gallery.enumerated() {
            if let label = set.labels[row] { candidatesOfLabel[label, default: [:]][candidateOfPlace[place], default: 0] += 1 }
        }
        self.candidatesOfLabel = candidatesOfLabel.mapValues { counts in
            counts.map { (candidate: $0.key, rows: $0.value) }.sorted { $0.candidate < $1.candidate }
        }
        if level == .productCentroid {
            let members = self.members
            rows = try VectorRows(count: members.count, dimension: set.dimension) { (product, target) throws(RetrievalError) in
                Self.writeCentroid(of: members[product], in: set, to: target)
            }
        } else {
            rows = try VectorRows(count: gallery.count, dimension: set.dimension) { (place, target) throws(RetrievalError) in
                _ = target.update(fromContentsOf: set.vector(gallery[place]))
            }
        }
        self.level = level
        self.set = set
    }

    /// A query, and what of the candidates counts for it.
    struct Query {
        /// Of the set.
        let row: Int
        /// The row of `rows` that is not scored: the query itself, or the centroid that it is part of.
        let excluded: UInt32?
        /// The rows of the set whose centroid stands in the excluded one's place; empty where nothing does.
        let rest: [Int]
        /// Ascending.
        let relevant: [UInt32]
        /// Candidates in its ranking.
        let length: Int
    }

    /// - Parameter relevant: rows of the set that are relevant to it, in place of those with its label. Those outside of the gallery, and the
    ///   query itself, don't count.
    func query(_ row: Int, relevant: [Int]? = nil) -> Query {
        let own = candidateOfSetRow[row]
        // The query's own picture is never an answer; its product is one by its other pictures.
        let rest = own.map { members[Int($0)].filter { $0 != row } } ?? []
        let found: [UInt32]
        if let relevant {
            found = Set(relevant.filter { $0 != row }.compactMap { candidateOfSetRow[$0] }).sorted()
        } else {
            // A query in the gallery has its own label.
            let counts = set.labels[row].flatMap { candidatesOfLabel[$0] } ?? []
            found = counts.filter { $0.candidate != own || $0.rows > 1 }.map(\.candidate)
        }
        return Query(
            row: row,
            excluded: own.flatMap { own in
                switch level {
                case .image, .productCentroid: own
                case .productBest: placeOfSetRow[row].map { UInt32($0) }
                }
            },
            rest: level == .productCentroid ? rest : [],
            relevant: found,
            length: count - (own != nil && rest.isEmpty ? 1 : 0))
    }

    /// The row of the set that stands for a candidate.
    /// - Parameter best: for products by their best picture, the row of `rows` that scored best.
    func representative(of candidate: UInt32, for query: Query, best: (UInt32) -> UInt32?) -> Int {
        let rows = members[Int(candidate)]
        if let best = best(candidate) {
            // A place in the gallery: the member that stands there.
            return rows.first { placeOfSetRow[$0].map { UInt32($0) } == best } ?? rows[0]
        }
        return rows.first { $0 != query.row } ?? rows[0]
    }

    /// The mean of unit vectors, scaled to unit length; zeros where they cancel out.
    static func writeCentroid(of rows: [Int], in set: LabelledVectors, to target: UnsafeMutableBufferPointer<Float>) {
        if rows.count == 1 {
            // Scaling could move its last bit, and what is equal must tie.
            _ = target.update(fromContentsOf: set.vector(rows[0]))
            return
        }
        var sums = [Double](repeating: 0, count: set.dimension)
        for row in rows {
            for (place, value) in set.vector(row).enumerated() { sums[place] += Double(value) }
        }
        let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for place in sums.indices { target[place] = length > 0 ? Float(sums[place] / length) : 0 }
    }

    /// The place of every row of the set in a list of rows.
    static func places(_ list: [Int], what: String, count: Int) throws(RetrievalError) -> [Int?] {
        var places = [Int?](repeating: nil, count: count)
        for (place, row) in list.enumerated() {
            guard (0..<count).contains(row) else { throw .rowOutOfRange(what: what, row: row, count: count) }
            guard places[row] == nil else { throw .repeatedRow(what: what, row: row) }
            places[row] = place
        }
        return places
    }
}
