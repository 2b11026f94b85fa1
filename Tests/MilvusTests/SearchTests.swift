#if Milvus
    import BitCollections
    import Catalog
    import Foundation
    import Retrieval
    import Search
    import SwiftProtobuf
    import Testing

    @testable import Milvus

    @Suite("Searching in a Milvus", .serialized)
    struct SearchTests {
        /// Filled once for all of them.
        private static let filled = Task {
            let milvus = try await LocalMilvus()
            let shop = try Shop(products: 200)
            let server = try milvus.server()
            let model = (fingerprint: shop.model.fingerprint, name: shop.model.name, dimension: shop.model.dimension)
            let report = try await MilvusFilling<CatalogRows>(server, of: model).run(from: shop.rows())
            #expect(report.isComplete && report.written == 600 && report.count == 600 && report.whole == .new)
            return (
                milvus, shop, try await MilvusIndex(server, fingerprint: shop.model.fingerprint, dimension: shop.model.dimension)
            )
        }

        private static let filters: [[String]] = [
            [], ["color=black"], ["color=DARK \"BLUE\""], ["color=back\\slash"], ["color=grün"],
            ["color=GRU\u{308}N", "color=100 %"],
            ["color=blue"], ["color=a=b"], ["color=it's"], ["color=(1 or 1==1)"], ["color=😀"], ["category=men"],
            ["category=Men/Tops"],
            ["category=women", "in_stock=true"], ["price=10..20"], ["price=..12.5", "in_stock=false"], ["price=30.."],
            ["size=38"],
            ["size=37..39"], ["size=..36", "category=men/tops"], ["size=9..11"], ["size=s|40"], ["product_id=P \"7\""],
            ["title=garment 8", "title=garment 9"], ["shelf no. 1=4"], ["shelf no. 1=1..4", "price=..40"],
            ["description=" + String(repeating: "long ", count: 40) + "3"], ["color=none of these"],
        ]

        @Test("the same hits as an exact search over the catalogue, with and without filters and grouping", arguments: filters)
        func parity(filter: [String]) async throws {
            let (_, shop, index) = try await Self.filled.value
            var random = SeededGenerator(state: 77)
            let filter = try CatalogFilter(filter)
            for isGrouped in [false, true] {
                let query = random.direction(shop.model.dimension)
                let expected = try shop.exact(query, k: 50, where: filter, isGrouped: isGrouped)
                let found = try await index.find(
                    query, k: 50, where: RowFilter(filter), isGrouped: isGrouped, withDocuments: true)[0]
                #expect(found.map(\.hit.id) == expected.map(\.id))
                for (one, other) in zip(found, expected) { #expect(abs(one.hit.score - other.score) < 1e-5) }
                for row in found {
                    let document = try JSONDecoder().decode(RowDocument.self, from: Data(row.document))
                    let image = try #require(try shop.store.image(row.hit.id))
                    #expect(document.product == (try shop.store.product(image.productID)) && row.product == image.productID)
                    #expect(
                        document.image.color == image.color
                            && "/" + document.image.path == image.path.suffix(document.image.path.count + 1))
                }
                if isGrouped { #expect(Set(found.map(\.product)).count == found.count) }
            }
        }

        @Test("several queries at once have lists of their own, and a minimum score cuts each")
        func batch() async throws {
            let (_, shop, index) = try await Self.filled.value
            var random = SeededGenerator(state: 5)
            let queries = (0..<7).map { _ in random.direction(shop.model.dimension) }
            let lists = try await index.find(queries.flatMap(\.self), k: 20, minimumScore: 0.4)
            #expect(lists.count == 7)
            for (list, query) in zip(lists, queries) {
                let expected = try shop.exact(query, k: 20, where: CatalogFilter(), isGrouped: false).filter { $0.score >= 0.4 }
                #expect(list.map(\.hit.id) == expected.map(\.id))
            }
        }

        @Test("as a vector index it takes sets of ids and groups of any kind, and gives vectors back")
        func vectorIndex() async throws {
            let (_, shop, index) = try await Self.filled.value
            var random = SeededGenerator(state: 6)
            let query = random.direction(shop.model.dimension)
            let columns = try CatalogColumns(reading: shop.store)
            var request = VectorRequest(
                vectors: query, k: 50, admission: .ids(try columns.images(matching: CatalogFilter(["category=men"]))))
            #expect(
                try await index.search(request)[0].map(\.id)
                    == shop.exact(query, k: 50, where: CatalogFilter(["category=men"]), isGrouped: false).map(\.id))
            request.group = { columns.productIndex(of: $0) }
            request.admission = .all
            #expect(
                try await index.search(request)[0].map(\.id)
                    == shop.exact(query, k: 50, where: CatalogFilter(), isGrouped: true).map(\.id))
            request.admission = .ids([])
            #expect(try await index.search(request) == [[]])
            let id = try #require(columns.usable.first)
            #expect(try await index.vector(of: Int64(id)) == shop.store.vector(of: Int64(id), model: shop.model.fingerprint))
            #expect(try await index.vector(of: 1_000_000) == nil)
            #expect(index.count == 600 && index.dimension == 16)
        }

        @Test("what can't be searched is refused before anything is sent")
        func refusals() async throws {
            let (_, _, index) = try await Self.filled.value
            await #expect(throws: MilvusError.query(.shape(what: "queries", found: 15, dimension: 16))) {
                try await index.find([Float](repeating: 0.25, count: 15), k: 5)
            }
            await #expect(throws: MilvusError.resultCount(20_000, limit: 16_384)) {
                try await index.find([Float](repeating: 0.25, count: 16), k: 20_000)
            }
            await #expect(throws: RetrievalError.self) {
                try await index.search(VectorRequest(vectors: [Float](repeating: 1, count: 16), k: 5))
            }
        }

        @Test("an answer without a field, or with fewer values than rows, is an error and no shorter list")
        func answers() async throws {
            let (_, _, index) = try await Self.filled.value
            var results = WireSearchResultData()
            results.topks = [2]
            results.ids.intID.data = [4, 5]
            results.scores = [0.5, 0.25]
            func read(_ results: WireSearchResultData, _ fields: [String] = [Field.product]) -> MilvusError? {
                #expect(throws: MilvusError.self) { try index.read(results, queries: 1, fields: fields, minimumScore: nil) }
            }
            #expect(read(results)?.description.contains("product_id") == true)
            results.fieldsData = [
                .with {
                    $0.fieldName = Field.product; $0.scalars.stringData.data = ["P1"]
                }
            ]
            #expect(read(results)?.description.contains("1 values for 2 rows") == true)
            results.fieldsData = [
                .with {
                    $0.fieldName = Field.product; $0.scalars.longData.data = [1, 2]
                }
            ]
            #expect(read(results) != nil)
            results.fieldsData = [
                .with {
                    $0.fieldName = Field.product; $0.scalars.stringData.data = ["P1", "P2"]
                }
            ]
            #expect(
                try index.read(results, queries: 1, fields: [Field.product], minimumScore: nil)[0].map(\.product) == ["P1", "P2"])
            results.scores = [0.5]
            #expect(read(results) != nil)
            results.scores = [0.5, 0.25]
            results.topks = [-1, 3]
            #expect(read(results) != nil)
        }
    }
#endif
