#if Milvus
    public import Retrieval

    /// Makes the collection of a model equal to a catalogue.
    ///
    /// How far it is stands in the collection's properties, and moves on after each batch that was acknowledged: whoever is stopped, in whichever way, goes
    /// on from there. A batch is written by its keys, so that doing it twice does no harm. Only what the catalogue's log of changes names is written;
    /// where the log can't tell, every row is.
    public struct MilvusFilling<Source: RowSource>: Sendable {
        /// What a run did.
        public struct Report: Sendable, Equatable {
            public var collection: String
            public var written = 0
            /// Rows that were taken out, as far as the server counts them.
            public var removed = 0
            /// Rows at the end.
            public var count = 0
            /// Whether every row was looked at, and why.
            public var whole: Reason?
            /// False for a run that was stopped before its end.
            public var isComplete = false
        }

        /// Why every row is written, and not only what has changed.
        public enum Reason: String, Sendable {
            case new = "the collection is new"
            case emptied = "the collection had lost rows"
            case log = "the catalogue's log of changes does not reach back to the last run"
            case otherWay = "the catalogue has gone another way since the last run, as a copy does that was put back"
        }

        public typealias Model = (fingerprint: String, name: String, dimension: Int)

        private let server: MilvusServer
        private let connection: MilvusConnection
        private let collection: ModelCollection
        private let model: Model
        private let batch: Int

        /// - Parameter batch: rows that are written at a time.
        /// - Throws: `.address`.
        public init(_ server: MilvusServer, of model: Model, batch: Int = 500) throws(MilvusError) {
            (self.server, self.model, self.batch) = (server, model, max(1, batch))
            connection = try MilvusConnection(server)
            collection = ModelCollection(fingerprint: model.fingerprint, dimension: model.dimension)
        }

        /// Where a run stands.
        private struct Run {
            var source: Source
            var state: FillState
            var report: Report
        }

        /// - Parameters:
        ///   - rebuild: drops the collection first, whatever it is.
        ///   - progress: images that this pass has gone by, of so many.
        ///   - shouldStop: asked between two batches.
        /// - Throws: `.otherCatalog`, `.otherModel`, `.otherSchema`; `.row`, `.dimension` for a row that does not fit; `.count`; what a call throws; `.source` for
        ///   what the source throws.
        public func run(
            from source: Source, rebuild: Bool = false, progress: (Int, Int) -> Void = { _, _ in },
            shouldStop: () -> Bool = { false }
        ) async throws(MilvusError) -> Report {
            let isLite = try await connection.greet()
            var run = try await begin(source, rebuild: rebuild, isLite: isLite)
            var hasFilledAnew = false
            while true {
                if run.state.pass == nil {
                    if run.state.position == run.source.position {
                        // What is counted has to be what the catalogue has; rows that it got meanwhile are written first.
                        run.source = try reading(run.source) { try $0.current() }
                        guard run.state.position == run.source.position else { continue }
                        run.report.count = try await connection.count(collection.name)
                        let expected = try reading(run.source) { try $0.count() }
                        if run.report.count == expected {
                            if run.report.written + run.report.removed > 0 { try await connection.flush(collection.name) }
                            run.report.isComplete = true
                            return run.report
                        }
                        guard !hasFilledAnew else {
                            throw .count(server: server.name, name: collection.name, found: run.report.count, expected: expected)
                        }
                        hasFilledAnew = true
                        (run.state.position, run.report.whole) = (nil, .emptied)
                    }
                    run.state.pass = FillState.Pass(
                        last: 0, position: run.source.position, mark: try mark(run.source, run.source.position),
                        isFirst: run.report.whole == .new)
                    try await connection.write(run.state, to: collection.name)
                }
                guard try await pass(&run, progress, shouldStop) else { return run.report }
            }
        }

        // MARK: Steps

        /// Finds the collection or makes it, and decides from where the run goes on.
        private func begin(_ source: Source, rebuild: Bool, isLite: Bool) async throws(MilvusError) -> Run {
            var fresh = FillState(fingerprint: model.fingerprint, model: model.name, catalog: source.identity)
            fresh.language = source.language
            var run = Run(source: source, state: fresh, report: Report(collection: collection.name))
            if rebuild {
                do throws(MilvusError) { try await connection.drop(collection.name) } catch {
                    guard case .noCollection = error else { throw error }
                }
            }
            do throws(MilvusError) {
                run.state = try await connection.state(of: collection)
            } catch {
                guard case .noCollection = error else { throw error }
                try await connection.create(collection, fresh, isLite: isLite)
                run.report.whole = .new
                return run
            }
            guard run.state.fingerprint == model.fingerprint else {
                throw .otherModel(server: server.name, name: collection.name, found: run.state.model, expected: model.name)
            }
            guard run.state.catalog == source.identity else { throw .otherCatalog(server: server.name, name: collection.name) }
            if run.state.language != source.language {
                run.state.language = source.language
                try await connection.write(run.state, to: collection.name)
            }
            // Whoever made it may have been stopped before it had its indexes.
            try await connection.prepare(collection, isLite: isLite)
            for (position, known) in [(run.state.position, run.state.mark), (run.state.pass?.position, run.state.pass?.mark)] {
                guard let position, run.report.whole == nil else { continue }
                let mark = try mark(source, position)
                if mark != known { run.report.whole = mark == nil ? .log : .otherWay }
            }
            if run.state.position == nil, run.state.pass == nil { run.report.whole = .new }
            // What a pass has written is there, unless the collection lost it.
            if let pass = run.state.pass, pass.last > 0, run.report.whole == nil {
                let count = try await connection.count(collection.name)
                if count == 0 { run.report.whole = .emptied }
            }
            if run.report.whole != nil { (run.state.position, run.state.mark, run.state.pass) = (nil, nil, nil) }
            return run
        }

        /// Goes by all images that are to be looked at, in ascending order.
        /// - Returns: false where it was stopped.
        private func pass(_ run: inout Run, _ progress: (Int, Int) -> Void, _ shouldStop: () -> Bool) async throws(MilvusError)
            -> Bool
        {
            guard var pass = run.state.pass else { return true }
            var isWhole = true
            var ids = run.source.ids
            if let position = run.state.position {
                if let touched = try reading(run.source, { try $0.touched(after: position) }) {
                    (ids, isWhole) = (touched, false)
                } else {
                    // What this pass has gone by was named by a log that is gone.
                    (run.report.whole, pass.last) = (.log, 0)
                }
            }
            let first = ids.firstIndex { $0 > pass.last } ?? ids.endIndex
            for start in stride(from: first, to: ids.endIndex, by: batch) {
                progress(start, ids.count)
                if shouldStop() { return false }
                let some = ids[start..<min(start + batch, ids.endIndex)]
                let rows = try reading(run.source) { try $0.rows(some) }
                try await note(rows, &run.state)
                try await connection.upsert(rows, into: collection, position: pass.position)
                run.report.written += rows.count
                let end = some.last ?? pass.last
                if !isWhole {
                    let kept = Set(rows.map(\.id))
                    let gone = some.filter { !kept.contains($0) }
                    if !gone.isEmpty {
                        run.report.removed += try await connection.delete(Expression.ids(gone), from: collection.name)
                    }
                } else if !pass.isFirst {
                    run.report.removed += try await remove(after: pass.last, through: end, but: rows.map(\.id))
                }
                pass.last = end
                run.state.pass = pass
                try await connection.write(run.state, to: collection.name)
            }
            if isWhole, !pass.isFirst { run.report.removed += try await remove(after: pass.last, through: nil, but: []) }
            (run.state.position, run.state.mark, run.state.pass) = (pass.position, pass.mark, nil)
            try await connection.write(run.state, to: collection.name)
            progress(ids.count, ids.count)
            return true
        }

        /// Takes out of the ids between two all rows but some.
        private func remove(after first: Int64, through last: Int64?, but kept: [Int64]) async throws(MilvusError) -> Int {
            var expression = "\(Field.id) > \(first)"
            if let last { expression += " and \(Field.id) <= \(last)" }
            if !kept.isEmpty { expression += " and \(Field.id) not in [\(kept.map(String.init).joined(separator: ","))]" }
            return try await connection.delete(expression, from: collection.name)
        }

        /// A range looks at as many numbers of a key as any row has, and a copy at ids up to the greatest: both are known before there is such a row.
        private func note(_ rows: [IndexRow], _ state: inout FillState) async throws(MilvusError) {
            var known = state
            for row in rows {
                known.greatest = max(known.greatest, row.id)
                for (key, numbers) in row.numbers { known.numbers[key] = max(known.numbers[key] ?? 0, numbers.count) }
            }
            guard known != state else { return }
            state = known
            try await connection.write(state, to: collection.name)
        }

        private func mark(_ source: Source, _ position: Int64) throws(MilvusError) -> String? {
            try reading(source) { try $0.mark(at: position) }
        }

        private func reading<Value>(_ source: Source, _ body: (Source) throws -> Value) throws(MilvusError) -> Value {
            do { return try body(source) } catch { throw .source("\(error)") }
        }
    }
#endif
