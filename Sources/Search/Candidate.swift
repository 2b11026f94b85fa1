import BitCollections
import Catalog
import Retrieval

/// A picture that may become a result, and what it is ordered by.
struct Candidate: Sendable {
    let hit: Hit
    let product: Int32
    /// The product's place by words, from 1; equally good ones share it.
    var wordRank: Int?
    /// Whether what names the product has all words of the query.
    var hasAllWords = false
    /// The place by vectors among all candidates, from 1.
    var vectorRank: Int?
    /// The cosine, without what rounding adds to that of two equal vectors.
    var score: Double { Double(min(max(hit.score, -1), 1)) }
    /// Greater is better; a cosine where a query has no words.
    var relevance: Double

    init(_ hit: Hit, product: Int32) {
        self.hit = hit
        self.product = product
        relevance = Double(hit.score)
    }
}

/// The words that a query wants and those that it does not, and the products that have them, by number.
struct WordCandidates: Sendable {
    let query: WordQuery
    /// The place of each product, from 1, and whether it has all the words.
    private(set) var places: [Int32: (rank: Int, isWhole: Bool)] = [:]
    /// Products with a word that is not wanted.
    private(set) var unwanted: Set<Int32> = []
    /// Pictures of the products with all words, and of those with some: in the colour that a word names, where a product has such pictures.
    private(set) var whole = BitSet()
    private(set) var partly = BitSet()

    /// Products that are taken for their words, at most: with all words, and with some.
    private static let limits = (whole: 5000, partly: 300)
    /// Scores that differ by less than this share of the best are equally good: such differences come from the length of a title.
    private static let step = 0.1

    /// - Parameter admitted: the pictures that may be found.
    init(wanted: WordQuery, unwanted: [WordQuery], in columns: CatalogColumns, of store: CatalogStore, admitted: BitSet) throws {
        query = wanted
        func pictures(_ id: String) -> [ImageID] {
            guard let number = columns.productNumber(id) else { return [] }
            return columns.images(ofProduct: number).filter { admitted.contains(Int($0)) }
        }
        let matches = try store.products(with: wanted, limit: Self.limits.whole) { !pictures($0).isEmpty }
        let inColor = columns.images(inColorOf: wanted)
        for (isWhole, limit) in [(true, Self.limits.whole), (false, Self.limits.partly)] {
            let some = matches.filter { $0.isWhole == isWhole }.prefix(limit)
            let before = isWhole ? 0 : places.count
            var (rank, level) = (0, Int.max)
            for (place, match) in some.enumerated() {
                guard let number = columns.productNumber(match.productID) else { continue }
                let found = Int(match.score / (some[some.startIndex].score * Self.step))
                if found < level { (rank, level) = (place + 1, found) }
                places[number] = (before + rank, isWhole)
                let all = pictures(match.productID)
                let colored = all.filter { inColor.contains(Int($0)) }
                for picture in colored.isEmpty ? all : colored {
                    if isWhole { whole.insert(Int(picture)) } else { partly.insert(Int(picture)) }
                }
            }
        }
        for query in unwanted {
            for match in try store.products(with: query, limit: Self.limits.whole) where match.isWhole {
                if let number = columns.productNumber(match.productID) { self.unwanted.insert(number) }
            }
        }
    }
}
