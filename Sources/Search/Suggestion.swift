public import Catalog

/// Something of the catalogue that fits what somebody has typed so far.
public struct Suggestion: Sendable, Equatable {
    public var text: String
    /// `category`, `brand`, `product`, or the key of an attribute or column; `several` where values of several keys narrow together.
    public var kind: String
    /// Products that it leads to.
    public var count: Int
    /// What narrows a search to it; empty for a product.
    public var filters: [CatalogFilter.Clause] = []
    /// Only of a product.
    public var productID: String?
}

extension LiveCatalog {
    /// What has all the typed words, each perhaps unfinished: values of categories, brands and attributes, those of many products
    /// first; then values that have the words together, as `red` and `Dresses` have `red dr`; then products by their titles and ids. At most
    /// `limit`.
    /// - Throws: `CatalogError`, `SearchError.overloaded`.
    public func suggestions(for typed: String, limit: Int = 8) async throws -> [Suggestion] {
        try await threads.run { [self] in
            let query = WordQuery(beginning: typed, language: try store.language())
            guard !query.words.isEmpty, limit > 0 else { return [] }
            let columns = columns
            let single = try Self.suggested(columns.values(with: query).map { [$0] }, columns)
            // Some room is left for products, where there are any.
            let room = max(1, limit * 3 / 4)
            var found = Array(single.prefix(room))
            found += try Self.suggested(Self.combinations(of: query, columns), columns).prefix(
                min(Self.mostCombinations, room - found.count))
            guard found.count < limit, try store.unknownWords(of: query).isEmpty else { return found }
            let matches = try store.products(with: query, limit: 2 * limit, wholeAlone: true) {
                columns.cover(ofProduct: $0) != nil
            }
            let products = try store.products(matches.map(\.productID))
            // A category or colour leads to all of its products by itself.
            let named = matches.compactMap { match in
                products[match.productID].flatMap { product in
                    let text = "\(product.title ?? "") \(product.id)"
                    let words = query.wordsBeginning(in: text).count
                    return words > 0 ? (product: product, isWhole: words == query.words.count) : nil
                }
            }
            for (product, _) in named.filter(\.isWhole) + named.filter({ !$0.isWhole }) where found.count < limit {
                let title = product.title ?? product.id
                if found.contains(where: { $0.text == title }) { continue }
                found.append(Suggestion(text: title, kind: "product", count: 1, productID: product.id))
            }
            return found
        }
    }

    private typealias Value = (key: String, value: String)

    /// Values that narrow together, as suggestions, those of many products first; none of which no product has.
    private static func suggested(_ choices: [[Value]], _ columns: CatalogColumns) throws(CatalogError) -> [Suggestion] {
        var found: [Suggestion] = []
        for values in choices {
            let clauses = values.map { CatalogFilter.Clause(key: $0.key, anyOf: [.equals($0.value)]) }
            let count = try columns.page(matching: CatalogFilter(clauses: clauses), offset: 0, limit: 1).total
            guard count > 0, let first = values.first else { continue }
            let text = values.map { key, value in
                key == "category" ? value.split(separator: "/").last.map(String.init) ?? value : value
            }
            found.append(
                Suggestion(
                    text: text.joined(separator: " · "), kind: values.count == 1 ? first.key : "several", count: count,
                    filters: clauses))
        }
        return found.sorted { ($1.count, $0.kind, $0.text) < ($0.count, $1.kind, $1.text) }
    }

    /// Suggestions of several values, and how many are tried: each costs a look at the whole catalogue.
    private static let (mostCombinations, triedCombinations) = (3, 24)
    /// Values that are tried for one word, the most that narrow together, and words that are looked up one by one: a search of more would cost too much
    /// for every letter that is typed.
    private static let (valuesPerWord, mostValues, mostWords) = (4, 3, 4)

    /// Values of different keys that have all the words between them, none of them needless, in the order of the words.
    private static func combinations(of query: WordQuery, _ columns: CatalogColumns) -> [[Value]] {
        guard (2...mostWords).contains(query.words.count) else { return [] }
        // Of the values that begin with a word those come first in which it is whole.
        let values = query.words.indices.map { place -> [Value] in
            let word = query.word(place)
            func isWhole(_ value: Value) -> Bool { word.isWhole(in: value.value) }
            let found = columns.values(with: word).sorted {
                ($0.value.utf8.count, $0.key, $0.value) < ($1.value.utf8.count, $1.key, $1.value)
            }
            return Array((found.filter(isWhole) + found.filter { !isWhole($0) }).prefix(valuesPerWord))
        }
        var combinations: [[Value]] = []
        func covered(_ values: some Sequence<Value>) -> Set<Int> {
            values.reduce(into: []) { $0.formUnion(query.wordsBeginning(in: $1.value)) }
        }
        func extend(_ chosen: [Value]) {
            guard combinations.count < triedCombinations else { return }
            let found = covered(chosen)
            guard let open = query.words.indices.first(where: { !found.contains($0) }) else {
                let isNeeded = chosen.indices.allSatisfy { place in
                    covered(chosen.indices.filter { $0 != place }.map { chosen[$0] }).count < found.count
                }
                if chosen.count > 1 && isNeeded { combinations.append(chosen) }
                return
            }
            guard chosen.count < mostValues else { return }
            for value in values[open] where !chosen.contains(where: { $0.key == value.key }) { extend(chosen + [value]) }
        }
        extend([])
        return combinations
    }
}
