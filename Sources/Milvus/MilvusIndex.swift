#if Milvus
    import BitCollections
    import Foundation
    import GRPCCore
    public import Retrieval
    import SwiftProtobuf
    import Synchronization

    /// A row that a search found.
    public struct FoundRow: Sendable, Equatable {
        public var hit: Hit
        public var product: String
        /// What an answer shows of it, as `IndexRow.document` has it; empty where it was not asked for.
        public var document: [UInt8]
    }

    /// One model's vectors in a Milvus: a collection that `MilvusFilling` makes equal to a catalogue, searched by whoever may reach it.
    public final class MilvusIndex: VectorIndex {
        public let server: MilvusServer
        /// Of the collection.
        public let name: String
        public let dimension: Int
        let connection: MilvusConnection
        private let collection: ModelCollection
        private let known: Mutex<(count: Int, numbers: [String: Int])>

        init(_ connection: MilvusConnection, _ collection: ModelCollection, count: Int, numbers: [String: Int]) {
            (self.connection, server) = (connection, connection.server)
            (self.collection, name, dimension) = (collection, collection.name, collection.dimension)
            known = Mutex((count, numbers))
        }

        /// Opens the collection of a model that was filled before, and has Milvus load it.
        /// - Throws: `.noCollection`, `.otherSchema`, `.otherModel`; what a call throws.
        public convenience init(_ server: MilvusServer, fingerprint: String, dimension: Int) async throws(MilvusError) {
            let connection = try MilvusConnection(server)
            let collection = ModelCollection(fingerprint: fingerprint, dimension: dimension)
            let state = try await connection.state(of: collection)
            guard state.fingerprint == fingerprint else {
                throw .otherModel(server: server.name, name: collection.name, found: state.model, expected: fingerprint)
            }
            try await connection.load(collection.name)
            self.init(connection, collection, count: 0, numbers: state.numbers)
            try await refresh()
        }

        /// The same; nil where there is no such collection.
        /// - Throws: as `init`, but for `.noCollection`.
        public static func ifThere(
            _ server: MilvusServer, fingerprint: String, dimension: Int
        ) async throws(MilvusError) -> MilvusIndex? {
            do throws(MilvusError) {
                return try await MilvusIndex(server, fingerprint: fingerprint, dimension: dimension)
            } catch {
                guard case .noCollection = error else { throw error }
                return nil
            }
        }

        /// Vectors that could be found when it was last refreshed.
        public var count: Int { known.withLock(\.count) }

        /// Looks what the collection holds by now.
        public func refresh() async throws(MilvusError) {
            _ = try await refreshed()
        }

        /// Looks whether it was filled from a catalogue.
        /// - Throws: `.otherCatalog`; what a call throws.
        public func check(isOf identity: String) async throws(MilvusError) {
            guard try await connection.state(of: collection).catalog == identity else {
                throw .otherCatalog(server: server.name, name: name)
            }
        }

        /// - Returns: what it was filled with.
        func refreshed() async throws(MilvusError) -> FillState {
            let state = try await connection.state(of: collection)
            let count = try await connection.count(name)
            known.withLock { $0 = (count, state.numbers) }
            return state
        }

        // MARK: Searching

        /// The rows most similar to each query, best first; equal scores by ascending id. A range looks at as many numbers of a row as any had when the
        /// index was last refreshed.
        /// - Parameters:
        ///   - vectors: the queries `[n, dimension]`, every row of unit length.
        ///   - k: rows for each query, 1…16,384.
        ///   - isGrouped: whether of each product its best row alone comes.
        ///   - minimumScore: least cosine similarity.
        ///   - withDocuments: whether what an answer shows comes, too.
        /// - Throws: `.query`, `.resultCount`; what a call throws.
        public func find(
            _ vectors: [Float], k: Int, where filter: RowFilter = RowFilter(), isGrouped: Bool = false,
            minimumScore: Float? = nil,
            withDocuments: Bool = false
        ) async throws(MilvusError) -> [[FoundRow]] {
            let expression = Expression.of(filter, counts: known.withLock(\.numbers))
            return try await find(
                vectors, k: k, expression, isGrouped: isGrouped, minimumScore: minimumScore,
                fields: [Field.product] + (withDocuments ? [Field.document] : []))
        }

        private func find(
            _ vectors: [Float], k: Int, _ expression: String, isGrouped: Bool, minimumScore: Float?, fields: [String]
        ) async throws(MilvusError) -> [[FoundRow]] {
            guard k <= Limit.results else { throw .resultCount(k, limit: Limit.results) }
            let count: Int
            do throws(RetrievalError) {
                count = try VectorRequest(vectors: vectors, k: k).checkedQueryCount(dimension: dimension)
            } catch {
                throw .query(error)
            }
            var request = WireSearchRequest()
            request.collectionName = name
            request.dbName = server.database
            request.dsl = expression
            request.dslType = .boolExprV1
            request.placeholderGroup = try placeholders(vectors)
            request.nq = Int64(count)
            request.outputFields = fields
            request.consistencyLevel = server.consistency.wire
            request.searchParams = [
                WireKeyValuePair("anns_field", Field.vector), WireKeyValuePair("topk", "\(k)"),
                WireKeyValuePair("metric_type", ModelCollection.metric),
                // A graph that looks at few more than it gives finds few of them; Milvus wants it at least as large as k.
                WireKeyValuePair("params", #"{"ef": \#(max(128, 2 * k))}"#),
            ]
            if isGrouped { request.searchParams.append(WireKeyValuePair("group_by_field", Field.product)) }
            let answer = try await loaded { [connection, request] () throws(MilvusError) in
                try await connection.call("a search", of: self.name) { call in
                    try await call.client.search(request, metadata: call.metadata, options: call.options)
                }
            }
            return try read(answer.results, queries: count, fields: fields, minimumScore: minimumScore)
        }

        private func placeholders(_ vectors: [Float]) throws(MilvusError) -> Data {
            let value = WirePlaceholderValue.with {
                $0.tag = "$0"
                $0.type = .placeholderFloatVector
                $0.values = stride(from: 0, to: vectors.count, by: dimension).map { start in
                    var data = Data(capacity: dimension * 4)
                    for component in vectors[start..<start + dimension] {
                        withUnsafeBytes(of: component.bitPattern.littleEndian) { data.append(contentsOf: $0) }
                    }
                    return data
                }
            }
            do {
                return try WirePlaceholderGroup.with { $0.placeholders = [value] }.serializedData()
            } catch {
                throw .answer(server: server.name, call: "a search", reason: "\(error)")
            }
        }

        /// Checks an answer as something that another program wrote.
        func read(
            _ results: WireSearchResultData, queries: Int, fields: [String], minimumScore: Float?
        ) throws(MilvusError) -> [[FoundRow]] {
            func wrong(_ reason: String) -> MilvusError { .answer(server: server.name, call: "a search", reason: reason) }
            let ids = results.ids.intID.data
            guard results.topks.count == queries else { throw wrong("\(results.topks.count) lists for \(queries) queries") }
            guard results.topks.allSatisfy({ $0 >= 0 }), results.topks.reduce(0, +) == Int64(ids.count),
                results.scores.count == ids.count
            else { throw wrong("\(ids.count) ids and \(results.scores.count) scores in lists of \(results.topks)") }
            let products = fields.contains(Field.product) ? results.fieldsData.texts(Field.product) : []
            let documents = fields.contains(Field.document) ? results.fieldsData.documents(Field.document) : []
            guard let products, let documents else { throw wrong("without one of the fields \(fields.joined(separator: ", "))") }
            for column in [products.count, documents.count] where column != 0 && column != ids.count {
                throw wrong("a column of \(column) values for \(ids.count) rows")
            }
            guard ids.isEmpty || !fields.contains(Field.product) || !products.isEmpty,
                ids.isEmpty || !fields.contains(Field.document) || !documents.isEmpty
            else { throw wrong("an empty column for \(ids.count) rows") }
            var lists: [[FoundRow]] = []
            var start = 0
            for length in results.topks {
                let rows = (start..<start + Int(length)).map { place in
                    FoundRow(
                        hit: Hit(id: ids[place], score: results.scores[place]), product: products.isEmpty ? "" : products[place],
                        document: documents.isEmpty ? [] : documents[place])
                }
                start += Int(length)
                lists.append(
                    rows.filter { $0.hit.score >= minimumScore ?? -.infinity }
                        .sorted { ($1.hit.score, $0.hit.id) < ($0.hit.score, $1.hit.id) })
            }
            return lists
        }

        /// As `VectorIndex` says. What may be found is sent as its filter where the request describes it, else as a list of ids; of a set too large for
        /// that, and of groups, which are a function that Milvus does not know, so many rows are looked at that enough of them remain.
        /// - Throws: `RetrievalError`; `.tooDeep` where the 16,384 nearest hold too few; what a call throws.
        public func search(_ request: VectorRequest) async throws -> [[Hit]] {
            let queries = try request.checkedQueryCount(dimension: dimension)
            var expression = ""
            var isGiven = true
            var admits: (Int64) -> Bool = { _ in true }
            if case .ids(let ids) = request.admission, ids.isEmpty { return [[Hit]](repeating: [], count: queries) }
            if let described = request.described {
                expression = Expression.of(described, counts: known.withLock(\.numbers))
            } else if case .ids(let ids) = request.admission {
                isGiven = ids.count <= Self.listedIDs
                if isGiven {
                    expression = Expression.ids(ids.map { Int64($0) })
                } else {
                    admits = { $0 >= 0 && ids.contains(Int($0)) }
                }
            }
            let isExact = isGiven && request.group == nil
            // Of a product some pictures are among the nearest; each row costs the server more than the comparison does.
            var depth = min(isExact ? request.k : max(16, 8 * request.k), Limit.results)
            var answers = [[Hit]](repeating: [], count: queries)
            var open = Array(0..<queries)
            while true {
                let vectors = open.flatMap { request.vectors[$0 * dimension..<($0 + 1) * dimension] }
                let lists = try await find(vectors, k: depth, expression, isGrouped: false, minimumScore: nil, fields: [])
                var lacking: [Int] = []
                for (query, rows) in zip(open, lists) {
                    var groups: Set<Int32> = []
                    var best: [Hit] = []
                    for row in rows where best.count < request.k && admits(row.hit.id) {
                        if let group = request.group?(row.hit.id), !groups.insert(group).inserted { continue }
                        best.append(row.hit)
                    }
                    let isBelow = rows.last.map { $0.hit.score < request.minimumScore ?? -.infinity } ?? false
                    if best.count < request.k, rows.count >= depth, !isBelow { lacking.append(query) }
                    answers[query] = best.filter { $0.score >= request.minimumScore ?? -.infinity }
                }
                if lacking.isEmpty { return answers }
                open = lacking
                // Products with thousands of pictures among the nearest: Milvus groups by itself.
                if depth == Limit.results, isGiven { return try await grouped(request, expression) }
                guard depth < Limit.results else { throw MilvusError.tooDeep(rows: depth) }
                depth = min(4 * depth, Limit.results)
            }
        }

        private func grouped(_ request: VectorRequest, _ expression: String) async throws -> [[Hit]] {
            try await find(
                request.vectors, k: request.k, expression, isGrouped: true, minimumScore: request.minimumScore,
                fields: [Field.product]
            ).map { $0.map(\.hit) }
        }

        /// A list of more ids takes longer to read than the search takes.
        private static let listedIDs = 16_384

        // MARK: Rows

        public func vector(of id: Int64) async throws -> [Float]? { try await vectors(of: [id])[id] }

        /// So many vectors of a few hundred numbers come in one message.
        private static let vectorsAtOnce = 1024

        public func vectors(of ids: [Int64]) async throws -> [Int64: [Float]] {
            var vectors: [Int64: [Float]] = [:]
            for start in stride(from: 0, to: ids.count, by: Self.vectorsAtOnce) {
                let some = ids[start..<min(start + Self.vectorsAtOnce, ids.count)]
                let columns = try await query(Expression.ids(some), fields: [Field.id, Field.vector])
                guard let found = columns.numbers(Field.id), let numbers = columns.vectors(Field.vector) else {
                    throw lacking([Field.id, Field.vector])
                }
                guard numbers.count == found.count * dimension else {
                    throw MilvusError.dimension(found: numbers.count / max(1, found.count), expected: dimension)
                }
                for (place, id) in found.enumerated() {
                    vectors[id] = Array(numbers[place * dimension..<(place + 1) * dimension])
                }
            }
            return vectors
        }

        /// What an answer shows of some rows, by id; at most 16,384 of them.
        /// - Throws: what a call throws.
        public func documents(of ids: some Collection<Int64>) async throws(MilvusError) -> [Int64: [UInt8]] {
            if ids.isEmpty { return [:] }
            let columns = try await query(Expression.ids(ids), fields: [Field.id, Field.document])
            guard let ids = columns.numbers(Field.id), let documents = columns.documents(Field.document),
                ids.count == documents.count
            else {
                throw .answer(
                    server: server.name, call: "a query", reason: "without one of the fields \(Field.id), \(Field.document)")
            }
            return Dictionary(zip(ids, documents), uniquingKeysWith: { first, _ in first })
        }

        /// How many rows an expression admits by now.
        func count(where expression: String) async throws(MilvusError) -> Int {
            try await connection.count(name, where: expression)
        }

        /// What is kept of the rows that an expression admits, seeing every write; the caller knows that they are few.
        func kept(where expression: String) async throws(MilvusError) -> [KeptRow] {
            let columns = try await exactly(expression, fields: [Field.id, Field.document])
            guard let ids = columns.numbers(Field.id), let documents = columns.documents(Field.document),
                ids.count == documents.count
            else { throw lacking([Field.id, Field.document]) }
            return zip(ids, documents).map { KeptRow(id: $0, document: $1) }
        }

        func ids(where expression: String) async throws(MilvusError) -> [Int64] {
            let columns = try await exactly(expression, fields: [Field.id])
            guard let ids = columns.numbers(Field.id) else { throw lacking([Field.id]) }
            return ids
        }

        private func lacking(_ fields: [String]) -> MilvusError {
            .answer(
                server: server.name, call: "a query", reason: "without one of the fields \(fields.joined(separator: ", "))")
        }

        private func exactly(_ expression: String, fields: [String]) async throws(MilvusError) -> [WireFieldData] {
            try await loaded { [connection, name] () throws(MilvusError) in
                try await connection.query(name, expression, fields: fields, consistency: .strong)
            }
        }

        private func query(_ expression: String, fields: [String]) async throws(MilvusError) -> [WireFieldData] {
            try await loaded { [connection, name, server] () throws(MilvusError) in
                try await connection.query(name, expression, fields: fields, consistency: server.consistency)
            }
        }

        /// A Milvus that was started anew may have the collection and not have loaded it.
        private func loaded<Answer>(_ body: () async throws(MilvusError) -> Answer) async throws(MilvusError) -> Answer {
            do throws(MilvusError) {
                return try await body()
            } catch {
                guard case .notLoaded = error else { throw error }
                try await connection.load(name)
                return try await body()
            }
        }
    }

    extension MilvusServer.Consistency {
        var wire: WireConsistencyLevel {
            switch self {
            case .bounded: .bounded
            case .strong: .strong
            }
        }
    }
#endif
