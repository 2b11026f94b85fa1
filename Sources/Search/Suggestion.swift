public import Catalog

/// Something of the catalogue that fits what somebody has typed so far.
public struct Suggestion: Sendable, Equatable {
    public var text: String
    /// `category`, `brand`, `product`, or the key of an attribute or column.
    public var kind: String
    /// Products that it leads to.
    public var count: Int
    /// What narrows a search to it; nil for a product.
    public var filter: CatalogFilter.Clause?
    /// Only of a product.
    public var productID: String?
}

extension LiveCatalog {
    /// What has all the typed words, the last of which may be unfinished: values of categories, brands and attributes, those of many products
    /// first, then products by their titles; at most `limit`.
    /// - Throws: `CatalogError`, `SearchError.overloaded`.
    public func suggestions(for typed: String, limit: Int = 8) async throws -> [Suggestion] {
        try await threads.run { [self] in
            let query = WordQuery(beginning: typed)
            guard !query.words.isEmpty, limit > 0 else { return [] }
            let columns = columns
            var found: [Suggestion] = []
            for (key, value) in columns.values(with: query) {
                let clause = CatalogFilter.Clause(key: key, anyOf: [.equals(value)])
                let count = try columns.page(matching: CatalogFilter(clauses: [clause]), offset: 0, limit: 1).total
                let text = key == "category" ? value.split(separator: "/").last.map(String.init) ?? value : value
                if count > 0 { found.append(Suggestion(text: text, kind: key, count: count, filter: clause, productID: nil)) }
            }
            found.sort { ($1.count, $0.kind, $0.text) < ($0.count, $1.kind, $1.text) }
            // Some room is left for products, where there are any.
            found = Array(found.prefix(max(1, limit * 3 / 4)))
            let matches = try store.products(with: query, limit: limit - found.count) { columns.productNumber($0) != nil }
            let products = try store.products(matches.map(\.productID))
            for match in matches where match.isWhole {
                guard let title = products[match.productID]?.title, query.begins(in: title), found.count < limit else { continue }
                if found.contains(where: { $0.text == title }) { continue }
                found.append(Suggestion(text: title, kind: "product", count: 1, filter: nil, productID: match.productID))
            }
            return found
        }
    }
}
