#if Milvus
    import Foundation
    import GRPCCore
    import Retrieval
    import SwiftProtobuf

    /// What is done with a collection.
    extension MilvusConnection {
        /// Says hello, so that a wrong token or something that is no Milvus shows before anything else.
        /// - Returns: whether it is milvus-lite.
        func greet() async throws(MilvusError) -> Bool {
            let request = WireConnectRequest.with {
                $0.clientInfo.sdkType = "StyleFinder"
                $0.clientInfo.sdkVersion = "1"
            }
            let answer = try await call("a connection") { call in
                try await call.client.connect(request, metadata: call.metadata, options: call.options)
            }
            return answer.serverInfo.buildTags == "milvus_lite"
        }

        /// What a collection was filled with.
        /// - Throws: `.noCollection`, `.otherSchema`.
        func state(of collection: ModelCollection) async throws(MilvusError) -> FillState {
            let request = WireDescribeCollectionRequest.with {
                $0.dbName = server.database
                $0.collectionName = collection.name
            }
            let answer = try await call("the description of a collection", of: collection.name) { call in
                try await call.client.describeCollection(request, metadata: call.metadata, options: call.options)
            }
            func other(_ found: String, _ expected: String) -> MilvusError {
                .otherSchema(server: server.name, name: collection.name, found: found, expected: expected)
            }
            if let (found, expected) = collection.difference(from: answer.schema) { throw other(found, expected) }
            guard let text = answer.properties.first(where: { $0.key == FillState.property })?.value else {
                throw other("it has no property \(FillState.property)", "one that says what it was filled with")
            }
            struct Version: Decodable { let version: Int }
            do {
                let data = Data(text.utf8)
                let version = try JSONDecoder().decode(Version.self, from: data).version
                guard version == FillState.version else { throw other("it is of version \(version)", "\(FillState.version)") }
                return try JSONDecoder().decode(FillState.self, from: data)
            } catch let error as MilvusError {
                throw error
            } catch {
                throw other("its property \(FillState.property) can't be read", "what an earlier run wrote")
            }
        }

        func write(_ state: FillState, to name: String) async throws(MilvusError) {
            let request = WireAlterCollectionRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.properties = [WireKeyValuePair(FillState.property, Self.text(state))]
            }
            _ = try await call("the properties of a collection", of: name) { call in
                try await call.client.alterCollection(request, metadata: call.metadata, options: call.options)
            }
        }

        private static func text(_ state: FillState) -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            // Texts and whole numbers always have a JSON form.
            return (try? encoder.encode(state)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        }

        /// Makes a collection with its indexes and has it loaded.
        func create(_ collection: ModelCollection, _ state: FillState, isLite: Bool) async throws(MilvusError) {
            let schema: Data
            do {
                schema = try collection.schema.serializedData()
            } catch {
                throw .answer(server: server.name, call: "a new collection", reason: "\(error)")
            }
            let request = WireCreateCollectionRequest.with {
                $0.dbName = server.database
                $0.collectionName = collection.name
                $0.schema = schema
                $0.shardsNum = 1
                $0.consistencyLevel = .bounded
                $0.properties = [WireKeyValuePair(FillState.property, Self.text(state))]
            }
            _ = try await call("a new collection", of: collection.name) { call in
                try await call.client.createCollection(request, metadata: call.metadata, options: call.options)
            }
            try await prepare(collection, isLite: isLite)
        }

        /// Makes the indexes, where they are not there, and has the collection loaded.
        func prepare(_ collection: ModelCollection, isLite: Bool) async throws(MilvusError) {
            for (field, parameters) in collection.indexes(isLite: isLite) {
                let request = WireCreateIndexRequest.with {
                    $0.dbName = server.database
                    $0.collectionName = collection.name
                    $0.fieldName = field
                    $0.extraParams = parameters
                    $0.indexName = field
                }
                do throws(MilvusError) {
                    _ = try await call("an index of \(field)", of: collection.name) { call in
                        try await call.client.createIndex(request, metadata: call.metadata, options: call.options)
                    }
                } catch {
                    // A full Milvus takes the same index twice for once, milvus-lite says that it is there.
                    guard case .refused(_, _, _, Codes.indexIsThere) = error else { throw error }
                }
            }
            try await load(collection.name)
        }

        func drop(_ name: String) async throws(MilvusError) {
            let request = WireDropCollectionRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
            }
            _ = try await call("the end of a collection", of: name) { call in
                try await call.client.dropCollection(request, metadata: call.metadata, options: call.options)
            }
        }

        /// How long a collection of many millions may take until it is in memory.
        private static let loading = Duration.seconds(600)

        func load(_ name: String) async throws(MilvusError) {
            let request = WireLoadCollectionRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.replicaNumber = 1
            }
            _ = try await call("the loading of a collection", of: name) { call in
                try await call.client.loadCollection(request, metadata: call.metadata, options: call.options)
            }
            let question = WireGetLoadStateRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
            }
            let begin = ContinuousClock.now
            while true {
                let answer = try await call("the state of a collection", of: name) { call in
                    try await call.client.getLoadState(question, metadata: call.metadata, options: call.options)
                }
                if answer.state == .loaded { return }
                guard ContinuousClock.now - begin < Self.loading, !Task.isCancelled else {
                    throw .unreachable(
                        server: server.name, reason: "the collection \(name) was not loaded within \(Self.loading)")
                }
                try? await Task.sleep(for: .milliseconds(200))
            }
        }

        // MARK: Rows

        /// A batch is written to disk before it is acknowledged, which may wait for other writers.
        private static let writing = Duration.seconds(60)

        /// Writes rows, each in place of the one with its id.
        /// - Parameter position: in the catalogue's log, of the pass that writes them.
        func upsert(_ rows: [IndexRow], into collection: ModelCollection, position: Int64) async throws(MilvusError) {
            if rows.isEmpty { return }
            let columns = try WireFieldData.columns(of: rows, dimension: collection.dimension, position: position)
            let request = WireUpsertRequest.with {
                $0.dbName = server.database
                $0.collectionName = collection.name
                $0.fieldsData = columns
                $0.numRows = UInt32(rows.count)
            }
            let answer = try await call("new rows", of: collection.name, deadline: Self.writing) { call in
                try await call.client.upsert(request, metadata: call.metadata, options: call.options)
            }
            guard answer.errIndex.isEmpty, answer.upsertCnt == Int64(rows.count) else {
                throw .answer(
                    server: server.name, call: "new rows", reason: "\(answer.upsertCnt) of \(rows.count) rows were taken")
            }
        }

        /// Takes out what an expression says.
        /// - Returns: how many rows, as far as the server knows.
        @discardableResult
        func delete(_ expression: String, from name: String) async throws(MilvusError) -> Int {
            let request = WireDeleteRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.expr = expression
                $0.consistencyLevel = .strong
            }
            let answer = try await call("the removal of rows", of: name, deadline: Self.writing) { call in
                try await call.client.delete(request, metadata: call.metadata, options: call.options)
            }
            return Int(answer.deleteCnt)
        }

        /// Has Milvus write its last rows into files of their own, with their indexes.
        func flush(_ name: String) async throws(MilvusError) {
            let request = WireFlushRequest.with {
                $0.dbName = server.database
                $0.collectionNames = [name]
            }
            _ = try await call("a flush", of: name, deadline: Self.writing) { call in
                try await call.client.flush(request, metadata: call.metadata, options: call.options)
            }
        }

        func query(
            _ name: String, _ expression: String, fields: [String], consistency: MilvusServer.Consistency
        ) async throws(MilvusError) -> [WireFieldData] {
            let request = WireQueryRequest.with {
                $0.dbName = server.database
                $0.collectionName = name
                $0.expr = expression
                $0.outputFields = fields
                $0.consistencyLevel = consistency.wire
            }
            return try await call("a query", of: name) { call in
                try await call.client.query(request, metadata: call.metadata, options: call.options)
            }.fieldsData
        }

        /// How many rows there are by now.
        func count(_ name: String, where expression: String = "") async throws(MilvusError) -> Int {
            let columns = try await query(name, expression, fields: ["count(*)"], consistency: .strong)
            guard let count = columns.numbers("count(*)")?.first else {
                throw .answer(server: server.name, call: "a query", reason: "without a count")
            }
            return Int(count)
        }
    }
#endif
