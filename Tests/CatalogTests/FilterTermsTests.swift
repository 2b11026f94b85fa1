import BitCollections
import Testing

@testable import Catalog

@Suite("Values as an index elsewhere keeps them")
struct FilterTermsTests {
    /// What an index keeps of an image, by key.
    private typealias Kept = [ExactText: (terms: Set<ExactText>, numbers: [Double])]

    /// What an index answers that has nothing but terms and numbers.
    private func images(matching filter: CatalogFilter, in rows: [Int: Kept]) -> BitSet {
        BitSet(
            rows.lazy.filter { _, kept in
                filter.clauses.allSatisfy { clause in
                    guard let (terms, numbers) = kept[ExactText(clause.key)] else { return false }
                    return clause.anyOf.contains { condition in
                        switch condition {
                        case .equals(let wanted): terms.contains(ExactText(CatalogFilter.term(for: wanted)))
                        case .range(let from, let to): numbers.contains { $0 >= from ?? -.infinity && $0 <= to ?? .infinity }
                        }
                    }
                }
            }.map(\.key))
    }

    @Test("terms and numbers admit what the columns admit, byte for byte", arguments: [1, 2, 3] as [UInt64])
    func parity(seed: UInt64) throws {
        let folder = try TestFolder()
        var catalog = RandomCatalog(
            store: try CatalogStore(path: folder.catalogPath, mode: .create), random: SeededGenerator(seed: seed))
        try catalog.write(600)
        let columns = try CatalogColumns(reading: catalog.store)
        let rows = Dictionary(
            uniqueKeysWithValues: columns.usable.map { image in
                let kept = columns.values(of: ImageID(image)).map { key, value in
                    (
                        ExactText(key),
                        (
                            terms: Set(CatalogFilter.terms(of: value, key: key).map(ExactText.init)),
                            numbers: CatalogFilter.numbers(of: value)
                        )
                    )
                }
                return (image, Dictionary(uniqueKeysWithValues: kept))
            })
        var found = 0
        for _ in 0..<300 {
            let filter = catalog.filter()
            guard let expected = try? columns.images(matching: filter) else { continue }
            #expect(images(matching: filter, in: rows) == expected, "\(filter)")
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
