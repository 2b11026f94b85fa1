import BitCollections
import Testing

@testable import Catalog

@Suite("Values as an index elsewhere keeps them")
struct FilterTermsTests {
    /// What an index answers that has nothing but terms and numbers.
    private func images(matching filter: CatalogFilter, in columns: CatalogColumns) -> BitSet {
        columns.usable.filter { image in
            let values = Dictionary(
                uniqueKeysWithValues: columns.values(of: ImageID(image)).map { (ExactText($0.key), $0.value) })
            return filter.clauses.allSatisfy { clause in
                guard let stored = values[ExactText(clause.key)] else { return false }
                let terms = CatalogFilter.terms(of: stored, key: clause.key).map(ExactText.init)
                return clause.anyOf.contains { condition in
                    switch condition {
                    case .equals(let wanted): terms.contains(ExactText(CatalogFilter.term(for: wanted)))
                    case .range(let from, let to):
                        CatalogFilter.numbers(of: stored).contains { $0 >= from ?? -.infinity && $0 <= to ?? .infinity }
                    }
                }
            }
        }
    }

    @Test("terms and numbers admit what the columns admit, byte for byte", arguments: [1, 2, 3] as [UInt64])
    func parity(seed: UInt64) throws {
        let folder = try TestFolder()
        var catalog = RandomCatalog(
            store: try CatalogStore(path: folder.catalogPath, mode: .create), random: SeededGenerator(seed: seed))
        try catalog.write(600)
        let columns = try CatalogColumns(reading: catalog.store)
        var found = 0
        for _ in 0..<300 {
            let filter = catalog.filter()
            guard let expected = try? columns.images(matching: filter) else { continue }
            #expect(images(matching: filter, in: columns) == expected, "\(filter)")
            if !filter.isEmpty { found += expected.count }
        }
        #expect(found > 100)
    }

    @Test("a category is found by each path above it, a value by each of its parts, whatever the case")
    func terms() {
        #expect(CatalogFilter.terms(of: "Men/Tops|Sale", key: "category") == ["men/tops|sale", "men/tops", "men", "sale"])
        #expect(CatalogFilter.terms(of: "Men/Tops", key: "style") == ["men/tops"])
        #expect(CatalogFilter.terms(of: " Gru\u{308}n ", key: "color") == [" gr\u{FC}n ", "gr\u{FC}n"])
        #expect(CatalogFilter.numbers(of: "12|300|heavy|0x10") == [12, 300])
    }
}
