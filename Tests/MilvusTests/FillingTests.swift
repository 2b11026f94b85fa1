#if Milvus
    import Catalog
    import Foundation
    import Retrieval
    import Search
    import SwiftProtobuf
    import Synchronization
    import Testing

    @testable import Milvus

    @Suite("Filling a Milvus", .serialized)
    struct FillingTests {
        private struct Place {
            let milvus: LocalMilvus
            let shop: Shop
            let server: MilvusServer

            init(products: Int = 60, dimension: Int = 16) async throws {
                milvus = try await LocalMilvus()
                shop = try Shop(products: products, dimension: dimension)
                server = try milvus.server()
            }

            func filling(_ model: ModelRecord? = nil, batch: Int = 50) throws -> MilvusFilling<CatalogRows> {
                let model = model ?? shop.model
                return try MilvusFilling(server, of: (model.fingerprint, model.name, model.dimension), batch: batch)
            }

            func fill(batch: Int = 50) async throws -> MilvusFilling<CatalogRows>.Report {
                try await filling(batch: batch).run(from: shop.rows())
            }

            /// Every row of the collection has to be what the catalogue says, and every row of the catalogue has to be there.
            func check(_ place: SourceLocation = #_sourceLocation) async throws {
                let index = try await MilvusIndex(server, fingerprint: shop.model.fingerprint, dimension: shop.model.dimension)
                let source = try shop.rows()
                let rows = try source.rows(source.ids)
                #expect(index.count == rows.count, sourceLocation: place)
                let documents = try await index.documents(of: rows.map(\.id))
                for row in rows {
                    let found = try #require(documents[row.id], sourceLocation: place)
                    #expect(
                        try JSONDecoder().decode(RowDocument.self, from: Data(found))
                            == JSONDecoder().decode(RowDocument.self, from: Data(row.document)), sourceLocation: place)
                }
                var random = SeededGenerator(state: 9)
                for filter in [[], ["color=black"], ["price=10..30"], ["size=37..39", "category=men"]] {
                    let query = random.direction(shop.model.dimension)
                    let found = try await index.find(query, k: 50, where: RowFilter(CatalogFilter(filter)), isGrouped: true)[0]
                    #expect(
                        try found.map(\.hit.id)
                            == shop.exact(query, k: 50, where: CatalogFilter(filter), isGrouped: true).map(\.id),
                        sourceLocation: place)
                }
            }
        }

        @Test("twice is once; then what changed is written and what went is taken out, and nothing else")
        func changes() async throws {
            let place = try await Place()
            let first = try await place.fill()
            #expect(first.whole == .new && first.written == 180 && first.count == 180 && first.isComplete)
            try await place.check()
            let second = try await place.fill()
            #expect(second.whole == nil && second.written == 0 && second.removed == 0 && second.count == 180)

            // New ones, and others with other values.
            try place.shop.take(50..<70)
            let third = try await place.fill()
            #expect(third.whole == nil && third.count == 210 && third.written >= 30 && third.written <= 60)
            try await place.check()

            try place.shop.take(20..<70, prune: true)
            let fourth = try await place.fill()
            #expect(fourth.whole == nil && fourth.count == 150 && fourth.removed == 60)
            try await place.check()
        }

        @Test("what was stopped in the middle goes on from there; what changed meanwhile is not missed")
        func resuming() async throws {
            let place = try await Place()
            let batches = Mutex(0)
            let stopped = try await place.filling(batch: 20).run(
                from: place.shop.rows(),
                shouldStop: {
                    batches.withLock { count in
                        count += 1
                        return count > 4
                    }
                })
            #expect(!stopped.isComplete && stopped.written == 80)
            try place.shop.take(0..<5)
            try place.shop.take(10..<65, prune: true)
            let rest = try await place.fill(batch: 20)
            #expect(rest.isComplete && rest.count == 165)
            // The rest of the first pass, and the products that came or changed.
            #expect(rest.written < 100 + 195)
            try await place.check()
        }

        /// A source whose process dies between a batch that Milvus has acknowledged and the note of it.
        private struct Victim: RowSource {
            struct Died: Error {}

            let rows: CatalogRows
            let calls: @Sendable () -> Bool

            var identity: String { rows.identity }
            var position: Int64 { rows.position }
            var ids: [Int64] { rows.ids }
            var language: String? { rows.language }
            func mark(at position: Int64) throws -> String? { try rows.mark(at: position) }
            func touched(after position: Int64) throws -> [Int64]? { try rows.touched(after: position) }
            func count() throws -> Int { try rows.count() }
            func current() throws -> Victim { Victim(rows: try rows.current(), calls: calls) }
            func rows(_ ids: some Sequence<Int64>) throws -> [IndexRow] {
                if calls() { throw Died() }
                return try rows.rows(ids)
            }
        }

        @Test(
            "whoever dies in the middle, and a Milvus that is killed in the middle, leave nothing that the same command does not mend"
        )
        func dying() async throws {
            let place = try await Place()
            let calls = Mutex(0)
            let model = place.shop.model
            let filling = try MilvusFilling<Victim>(
                place.server, of: (model.fingerprint, model.name, model.dimension), batch: 20)
            let victim = Victim(rows: try place.shop.rows()) {
                calls.withLock { count in
                    count += 1
                    return count == 5
                }
            }
            await #expect(throws: MilvusError.self) { try await filling.run(from: victim) }
            place.milvus.kill()
            let gone = await #expect(throws: MilvusError.self) { try await place.fill() }
            #expect(gone?.isTransient == true)
            #expect(gone?.description.contains("127.0.0.1:\(place.milvus.port)") == true)
            try await place.milvus.start()
            let rest = try await place.fill(batch: 20)
            #expect(rest.isComplete && rest.count == 180 && rest.written <= 120)
            try await place.check()
        }

        @Test("one that was started anew without what it had is filled anew")
        func emptied() async throws {
            let place = try await Place(products: 20)
            _ = try await place.fill()
            let index = try await MilvusIndex(place.server, fingerprint: place.shop.model.fingerprint, dimension: 16)
            try place.milvus.lose()
            var random = SeededGenerator(state: 1)
            let query = random.direction(16)
            let gone = await #expect(throws: MilvusError.self) { try await index.find(query, k: 5) }
            #expect(gone?.isTransient == true)
            try await place.milvus.start()
            let empty = await #expect(throws: MilvusError.self) { try await index.find(query, k: 5) }
            #expect(empty == .noCollection(server: place.server.name, name: index.name))
            let again = try await place.fill()
            #expect(again.whole == .new && again.count == 60)
            // The index that was open answers again.
            #expect(try await index.find(query, k: 5)[0].count == 5)
            try await place.check()

            // The collection is there, and some of its rows are not.
            let connection = try MilvusConnection(place.server)
            try await connection.delete("image_id > 10", from: index.name)
            let mended = try await place.fill()
            #expect(mended.whole == .emptied && mended.count == 60)
            try await place.check()
            // And one that nobody knows.
            var stranger = try #require(try place.shop.rows().rows([1]).first)
            stranger.id = 1_000_000
            try await connection.upsert(
                [stranger], into: ModelCollection(fingerprint: place.shop.model.fingerprint, dimension: 16), position: 0)
            #expect(try await place.fill().removed == 1)
            try await place.check()
        }

        @Test("a Milvus that was started anew with what it had answers without being filled")
        func restarted() async throws {
            let place = try await Place(products: 20)
            _ = try await place.fill()
            let index = try await MilvusIndex(place.server, fingerprint: place.shop.model.fingerprint, dimension: 16)
            place.milvus.kill()
            try await place.milvus.start()
            var random = SeededGenerator(state: 1)
            #expect(try await index.find(random.direction(16), k: 5)[0].count == 5)
            let again = try await place.fill()
            #expect(again.written == 0 && again.count == 60)
        }

        @Test("a collection of another catalogue, another size or another kind is refused, and replaced where that is asked for")
        func refusals() async throws {
            let place = try await Place(products: 20)
            _ = try await place.fill()
            let name = ModelCollection(fingerprint: place.shop.model.fingerprint, dimension: 16).name

            let other = try Shop(products: 10, seed: 2)
            let filling = try place.filling()
            await #expect(throws: MilvusError.otherCatalog(server: place.server.name, name: name)) {
                try await filling.run(from: other.rows())
            }
            let wide = try Shop(products: 5, dimension: 8)
            let size = await #expect(throws: MilvusError.self) {
                try await place.filling(wide.model).run(from: wide.rows())
            }
            #expect(size?.description.contains("16 dimensions") == true)
            let opened = await #expect(throws: MilvusError.self) {
                try await MilvusIndex(place.server, fingerprint: place.shop.model.fingerprint, dimension: 8)
            }
            #expect(opened == size)
            // The first sixteen letters are the same, and the model is not.
            let cousin = try Shop(products: 5, model: "0123456789abcdefffff")
            await #expect(throws: MilvusError.otherModel(server: place.server.name, name: name, found: "fake", expected: "fake"))
            {
                try await place.filling(cousin.model).run(from: cousin.rows())
            }
            try await place.check()
            let replaced = try await filling.run(from: other.rows(), rebuild: true)
            #expect(replaced.whole == .new && replaced.count == 30)

            // Somebody else's collection, with fewer fields.
            let connection = try MilvusConnection(place.server)
            try await connection.drop(name)
            var schema = ModelCollection(fingerprint: place.shop.model.fingerprint, dimension: 16).schema
            schema.fields.removeAll { $0.name == Field.numbers }
            let request = try WireCreateCollectionRequest.with {
                $0.collectionName = name
                $0.schema = try schema.serializedData()
            }
            _ = try await connection.call("a new collection") { call in
                try await call.client.createCollection(request, metadata: call.metadata, options: call.options)
            }
            let fewer = await #expect(throws: MilvusError.self) { try await place.fill() }
            #expect(fewer?.description.contains("no field numbers") == true && fewer?.description.contains("--rebuild") == true)
        }

        @Test("a copy of the catalogue that was put back is noticed, and the collection becomes equal to it")
        func otherWay() async throws {
            let place = try await Place(products: 20)
            _ = try await place.fill()
            // The log ends before what the collection has seen: as after a backup was put back.
            let earlier = Earlier(rows: try place.shop.rows())
            let model = place.shop.model
            let report = try await MilvusFilling<Earlier>(place.server, of: (model.fingerprint, model.name, model.dimension))
                .run(from: earlier)
            #expect(report.whole == .otherWay && report.written == 60 && report.count == 60)
        }

        /// The same catalogue, with another history.
        private struct Earlier: RowSource {
            let rows: CatalogRows
            var identity: String { rows.identity }
            var position: Int64 { rows.position }
            var ids: [Int64] { rows.ids }
            var language: String? { rows.language }
            func mark(at position: Int64) throws -> String? { "another way to \(position)" }
            func touched(after position: Int64) throws -> [Int64]? { try rows.touched(after: position) }
            func rows(_ ids: some Sequence<Int64>) throws -> [IndexRow] { try rows.rows(ids) }
            func count() throws -> Int { try rows.count() }
            func current() throws -> Earlier { self }
        }
    }
#endif
