#if Milvus
    import BitCollections
    public import Retrieval
    import Synchronization

    /// Brings a copy of what an index keeps of its rows up to date with it, again and again.
    ///
    /// Each row carries the position in the catalogue's log that it was written at, so that what is new is asked for by one comparison. What was taken
    /// out leaves no trace in Milvus: where the numbers of rows differ, the ids are compared.
    public final class MilvusFollower: Sendable {
        public let index: MilvusIndex
        private let sink: any RowSink
        private let rowsAtOnce: Int

        private struct Seen {
            var catalog: String
            var position: Int64
        }

        private let seen = Mutex<Seen?>(nil)

        public convenience init(_ index: MilvusIndex, into sink: some RowSink) { self.init(index, into: sink, rowsAtOnce: 4096) }

        /// - Parameter rowsAtOnce: documents come in one message, which has a limit; ids are small, and four times as many come.
        init(_ index: MilvusIndex, into sink: some RowSink, rowsAtOnce: Int) {
            self.index = index
            self.sink = sink
            self.rowsAtOnce = rowsAtOnce
        }

        /// Takes over what was synced since the last call, at the first everything. One call at a time.
        /// - Parameter progress: ids that were gone by, of so many.
        /// - Returns: whether there was anything.
        /// - Throws: `.unfilled`; what a call throws; `.source` for what the copy throws.
        @discardableResult
        public func catchUp(progress: (Int, Int) -> Void = { _, _ in }) async throws(MilvusError) -> Bool {
            let state = try await index.refreshed()
            guard let position = state.position else {
                // A pass over everything that is going on, or was stopped: what is there stays until it has ended.
                guard seen.withLock({ $0 }) != nil else {
                    throw .unfilled(server: index.server.name, name: index.name)
                }
                return false
            }
            let before = seen.withLock { $0 }
            if let before, before.catalog == state.catalog, before.position == position { return false }
            try written { try $0.take(language: state.language) }
            if let before, before.catalog == state.catalog, before.position < position {
                let expression = "\(Field.position) > \(before.position)"
                if try await index.count(where: expression) <= rowsAtOnce {
                    let rows = try await index.kept(where: expression)
                    try written { try $0.take(rows) }
                } else {
                    try await takeWindows(of: state, where: expression, progress)
                }
            } else {
                try await takeWindows(of: state, where: nil, progress)
                try await compareIDs(state)
            }
            if try await index.count(where: "") != sink.count { try await compareIDs(state) }
            seen.withLock { $0 = Seen(catalog: state.catalog, position: position) }
            return true
        }

        private func takeWindows(
            of state: FillState, where condition: String?, _ progress: (Int, Int) -> Void
        ) async throws(MilvusError) {
            var last: Int64 = 0
            while last < state.greatest {
                progress(Int(last), Int(state.greatest))
                let end = last + Int64(rowsAtOnce)
                let rows = try await index.kept(where: Self.window(last, end) + (condition.map { " and \($0)" } ?? ""))
                try written { try $0.take(rows) }
                last = end
            }
            progress(Int(state.greatest), Int(state.greatest))
        }

        private func compareIDs(_ state: FillState) async throws(MilvusError) {
            var found = BitSet()
            var last: Int64 = 0
            while last < state.greatest {
                let end = last + Int64(4 * rowsAtOnce)
                for id in try await index.ids(where: Self.window(last, end)) where id > 0 { found.insert(Int(id)) }
                last = end
            }
            let lacking = sink.lacks(found)
            for start in stride(from: 0, to: lacking.count, by: rowsAtOnce) {
                let rows = try await index.kept(
                    where: Expression.ids(lacking[start..<min(start + rowsAtOnce, lacking.count)]))
                try written { try $0.take(rows) }
            }
            try written { try $0.keep(only: found) }
        }

        private static func window(_ after: Int64, _ through: Int64) -> String {
            "\(Field.id) > \(after) and \(Field.id) <= \(through)"
        }

        private func written(_ body: (any RowSink) throws -> Void) throws(MilvusError) {
            do { try body(sink) } catch { throw .source("\(error)") }
        }
    }
#endif
