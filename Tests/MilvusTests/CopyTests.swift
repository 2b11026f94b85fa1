#if Milvus
    import BitCollections
    import Catalog
    import Foundation
    import Imaging
    import Retrieval
    import Search
    import Testing

    @testable import Milvus

    @Suite("A server without a catalogue file", .serialized)
    struct CopyTests {
        /// Any text has a direction of its own.
        private struct Encoder: EmbeddingModel {
            let model: ModelRecord

            func encode(images: [RGBImage]) async throws -> [[Float]] { images.map { _ in direction("a picture") } }
            func encode(texts: [String]) async throws -> [[Float]] { texts.map(direction) }

            private func direction(_ text: String) -> [Float] {
                var random = SeededGenerator(state: text.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
                return random.direction(model.dimension)
            }
        }

        /// A catalogue, the Milvus that it fills, and a copy beside that.
        private struct Pair {
            let milvus: LocalMilvus
            let shop: Shop
            let copy: CatalogCopy
            let follower: MilvusFollower
            let near: SearchEngine
            let far: SearchEngine
            private let folder: String

            init(products: Int, rowsAtOnce: Int = 4096, seed: UInt64 = 1) async throws {
                milvus = try await LocalMilvus()
                shop = try Shop(products: products, seed: seed)
                folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/copy-\(UUID().uuidString)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                copy = try CatalogCopy(path: folder + "/copy.db", pictures: "https://pictures.example/large/")
                _ = try await Self.fill(shop, milvus.server())
                let index = try await MilvusIndex(
                    milvus.server(), fingerprint: shop.model.fingerprint, dimension: shop.model.dimension)
                follower = MilvusFollower(index, into: try copy.part(of: shop.model), rowsAtOnce: rowsAtOnce)
                #expect(try await follower.catchUp())
                let encoder = Encoder(model: shop.model)
                near = try SearchEngine(LiveCatalog(shop.store), encoder: encoder)
                far = try SearchEngine(
                    LiveCatalog(copy.store, elsewhere: [shop.model.fingerprint: index]), encoder: encoder)
            }

            static func fill(_ shop: Shop, _ server: MilvusServer) async throws -> Int {
                try await MilvusFilling<CatalogRows>(
                    server, of: (shop.model.fingerprint, shop.model.name, shop.model.dimension)
                ).run(from: shop.rows()).written
            }

            /// Syncs what changed, and takes it over.
            func catchUp() async throws {
                _ = try await Self.fill(shop, milvus.server())
                _ = try await follower.catchUp()
                try await near.catalog.refresh()
                try await far.catalog.refresh()
            }

            func remove() { try? FileManager.default.removeItem(atPath: folder) }

            /// Both have the same rows, the same values to filter by, and the same words.
            func compareRows() throws {
                let (one, other) = (near.catalog.columns, far.catalog.columns)
                #expect(one.usable == other.usable && !one.usable.isEmpty)
                for id in one.usable {
                    let (mine, theirs) = try (shop.store.image(Int64(id)), copy.store.image(Int64(id)))
                    let (image, copied) = (try #require(mine), try #require(theirs))
                    #expect(copied.productID == image.productID && copied.contentHash == image.contentHash)
                    #expect(copied.color == image.color && copied.attributes == image.attributes && copied.size == image.size)
                    #expect(
                        try #require(copied.address).hasPrefix("https://pictures.example/large/")
                            && copied.path.hasSuffix("#\(id)"))
                    #expect(try copy.store.product(image.productID) == shop.store.product(image.productID))
                }
                #expect(try copy.store.products(offset: 0, limit: 1).total == shop.store.products(offset: 0, limit: 1).total)
                for filter in ["color=black", "category=men", "price=10..20", "size=38", "shelf no. 1=4"] {
                    let filter = try CatalogFilter([filter])
                    #expect(try one.images(matching: filter) == other.images(matching: filter))
                }
            }

            func compareSearches(_ seed: UInt64) async throws {
                var random = SeededGenerator(state: seed)
                var queries: [SearchQuery] = []
                for filter in [[], ["category=men"], ["price=10..30", "in_stock=true"], ["color=grün"]] {
                    for grouping in [SearchQuery.Grouping.product, .image] {
                        var query = SearchQuery(.vector(random.direction(shop.model.dimension)), limit: 20)
                        query.filter = try CatalogFilter(filter)
                        query.grouping = grouping
                        queries.append(query)
                        query.terms = [.init(.text("garment dark blue"))]
                        queries.append(query)
                        query.terms = [.init(.product(try #require(shop.store.products(limit: 3).last).id))]
                        queries.append(query)
                        query.diversity = 0.4
                        queries.append(query)
                    }
                }
                for query in queries {
                    let (one, other) = try await (near.search(query), far.search(query))
                    #expect(one.results.map(\.image.id) == other.results.map(\.image.id))
                    #expect(one.results.map(\.product) == other.results.map(\.product))
                    for (a, b) in zip(one.results, other.results) { #expect(abs(a.score - b.score) < 1e-4) }
                    #expect(!one.results.isEmpty || query.filter.clauses.count > 1)
                }
            }
        }

        @Test("what Milvus keeps makes the same catalogue and the same answers, and goes on doing so", arguments: [4096, 50])
        func same(rowsAtOnce: Int) async throws {
            let pair = try await Pair(products: 120, rowsAtOnce: rowsAtOnce)
            defer { pair.remove() }
            try pair.compareRows()
            try await pair.compareSearches(3)
            #expect(try await !pair.follower.catchUp())
            // Other values, new products, and products that go.
            try pair.shop.take(0..<10)
            try await pair.catchUp()
            try pair.compareRows()
            try pair.shop.take(115..<160)
            try await pair.catchUp()
            try pair.compareRows()
            try pair.shop.take(20..<150, prune: true)
            try await pair.catchUp()
            try pair.compareRows()
            // As many new ones as went.
            try pair.shop.take(25..<155, prune: true)
            try await pair.catchUp()
            try pair.compareRows()
            try await pair.compareSearches(4)
        }

        @Test("a collection that was dropped and filled anew, from a catalogue of fewer products, is taken over whole")
        func anew() async throws {
            let pair = try await Pair(products: 30)
            defer { pair.remove() }
            try pair.shop.take(0..<12, prune: true)
            let model = pair.shop.model
            _ = try await MilvusFilling<CatalogRows>(pair.milvus.server(), of: (model.fingerprint, model.name, model.dimension))
                .run(from: pair.shop.rows(), rebuild: true)
            try await pair.catchUp()
            try pair.compareRows()
            #expect(pair.far.catalog.columns.usable.count == 36)
        }

        @Test("a Milvus that is gone is said, a moment's matter, and what it had is found again when it is back")
        func gone() async throws {
            let pair = try await Pair(products: 20)
            defer { pair.remove() }
            var server = try pair.milvus.server()
            server.attempts = 1
            let index = try await MilvusIndex(server, fingerprint: pair.shop.model.fingerprint, dimension: 16)
            let follower = MilvusFollower(index, into: try pair.copy.part(of: pair.shop.model))
            _ = try await follower.catchUp()
            pair.milvus.kill()
            do {
                _ = try await follower.catchUp()
                Issue.record("it answered")
            } catch {
                #expect(error.isTransient && error.description.contains("does not answer"))
            }
            try pair.compareRows()
            try await pair.milvus.start()
            try await pair.catchUp()
            try await pair.compareSearches(5)
        }

        @Test("a document that can't be read is told by its number")
        func unreadable() async throws {
            let folder = FileManager.default.temporaryDirectory.path + "/copy-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let copy = try CatalogCopy(path: folder + "/copy.db", pictures: "https://pictures.example")
            let part = try copy.part(of: ModelRecord(fingerprint: "f", name: "fake", dimension: 16))
            let hash = ContentHash(of: Data("x".utf8)).hex
            for document in [
                "[]", #"{"product":{"id":"a","attributes":{}},"image":{"path":"a.png","attributes":{}}}"#,
                #"{"product":{"id":"a","attributes":{}},"image":{"path":"a.png","sha256":"\#(hash)","width":0,"height":2,"attributes":{}}}"#,
            ] {
                #expect(throws: SearchError.unreadableRow(7)) { try part.take([KeptRow(id: 7, document: Array(document.utf8))]) }
            }
            let good =
                #"{"product":{"id":"a","attributes":{}},"image":{"path":"b c/ü.png","sha256":"\#(hash)","width":2,"height":2,"attributes":{}}}"#
            try part.take([KeptRow(id: 7, document: Array(good.utf8)), KeptRow(id: 8, document: Array(good.utf8))])
            #expect(try copy.store.image(8)?.address == "https://pictures.example/b%20c/%C3%BC.png")
            try part.keep(only: [8])
            #expect(try copy.store.image(7) == nil && copy.store.image(8) != nil && part.count == 1)
        }
    }
#endif
