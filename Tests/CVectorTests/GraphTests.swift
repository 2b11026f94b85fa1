import CVector
import Testing

/// A graph over coded rows, freed with the last reference.
// Holds a raw pointer, which is not Sendable. Invariant: nobody writes to the block, but for the test of damage to its own.
final class Graph: @unchecked Sendable {
    let coded: Coded
    let block: UnsafeMutableRawPointer
    let length: Int

    init(_ coded: Coded, degree: UInt32 = 0, breadth: UInt32 = 0, threads: UInt32 = 1, level: Level = .best) throws {
        var options = CVGraphOptions()
        options.degree = degree
        options.breadth = breadth
        options.threads = threads
        options.seed = 5
        var (block, length): (UnsafeMutableRawPointer?, Int) = (nil, 0)
        let status = coded.withCodes { cv_graph_build(level.code, $0, &options, nil, &block, &length) }
        try #require(status == CV_OK)
        self.coded = coded
        self.block = try #require(block)
        self.length = length
    }

    deinit { cv_free_bytes(block, length) }

    var bytes: [UInt8] { [UInt8](UnsafeRawBufferPointer(start: block, count: length)) }
    var isWhole: Bool { cv_graph_check(block, length, coded.count) == 1 }

    struct Found {
        var rows: [Int] = []
        var scores: [Float] = []
        var report = CVWalkReport()
    }

    /// Searches in another block, if one is given.
    func search(
        _ queries: CodedQueries, _ query: Int = 0, k: Int = 10, breadth: Int = 64, mode: CVWalkMode = CV_WALK_PLAIN,
        limit: Int = 0,
        admitted: [Bool]? = nil, deleted: [Bool]? = nil, level: Level = .best, in other: UnsafeRawPointer? = nil
    ) throws -> Found {
        let walk = try #require(cv_walk_create(coded.count))
        defer { cv_walk_free(walk) }
        let (admitted, deleted) = (admitted.map(bitmap), deleted.map(bitmap))
        var rows = [UInt32](repeating: .max, count: k), scores = [Float](repeating: .nan, count: k)
        var report = CVWalkReport()
        func run(_ admitted: UnsafePointer<UInt64>?, _ deleted: UnsafePointer<UInt64>?) -> CVStatus {
            var request = CVWalkRequest(
                mode: mode, k: k, breadth: breadth, limit: limit, admitted: admitted, deleted: deleted)
            return coded.withCodes { codes in
                queries.with {
                    cv_graph_search(
                        level.code, other ?? UnsafeRawPointer(block), codes, $0, query, &request, walk, &rows, &scores, &report)
                }
            }
        }
        // An empty array's pointer is not NULL, so each of the four combinations is said.
        let status =
            switch (admitted, deleted) {
            case (let admitted?, let deleted?):
                admitted.withUnsafeBufferPointer { a in
                    deleted.withUnsafeBufferPointer { run(a.baseAddress, $0.baseAddress) }
                }
            case (let admitted?, nil): admitted.withUnsafeBufferPointer { run($0.baseAddress, nil) }
            case (nil, let deleted?): deleted.withUnsafeBufferPointer { run(nil, $0.baseAddress) }
            case (nil, nil): run(nil, nil)
            }
        try #require(status == CV_OK)
        return Found(rows: rows.prefix(report.found).map { Int($0) }, scores: Array(scores.prefix(report.found)), report: report)
    }
}

func bitmap(_ rows: [Bool]) -> [UInt64] {
    var words = [UInt64](repeating: 0, count: max(1, (rows.count + 63) / 64))
    for (row, isSet) in rows.enumerated() where isSet { words[row / 64] |= 1 << UInt64(row % 64) }
    return words
}

@Suite("graph over codes")
struct GraphTests {
    static let (count, dimension) = (6_000, 96)
    static let rows = clustered(count, dimension: dimension, seed: 21)
    static let coded = Coded(rows, dimension: dimension)
    static let graph = Result { try Graph(coded, degree: 24, breadth: 100) }
    /// Each is a row with some noise.
    static let queries: [Float] = {
        var generator = SeededGenerator(state: 22)
        return (0..<30).flatMap { q in
            unit((0..<dimension).map { rows[q * 199 * dimension + $0] + 0.06 * generator.normal() })
        }
    }()
    /// The cloud of rows seen from outside: all of them share a direction that no row has much of.
    static let texts: [Float] = {
        var generator = SeededGenerator(state: 23)
        let away = unit(generator.normals(dimension))
        return (0..<30).flatMap { q in
            unit((0..<dimension).map { 0.5 * rows[q * 199 * dimension + $0] + away[$0] + 0.03 * generator.normal() })
        }
    }()

    /// How many of the best 10 of those admitted are found.
    func recall(
        _ graph: Graph, _ queries: [Float], breadth: Int = 64, mode: CVWalkMode = CV_WALK_PLAIN, admitted: [Bool]? = nil,
        deleted: [Bool]? = nil
    ) throws -> Double {
        let coded = graph.coded
        let asked = CodedQueries(queries, dimension: coded.dimension, coding: coded.coding)
        var hits = 0, all = 0
        for q in 0..<asked.count {
            var scores = Array(
                coded.scores(asked, first: 0, rows: coded.count, level: .best)[q * coded.count..<(q + 1) * coded.count])
            for row in 0..<coded.count where admitted?[row] == false || deleted?[row] == true { scores[row] = -.infinity }
            let truth = best(10, of: scores).filter { scores[$0] > -.infinity }
            let found = try graph.search(asked, q, k: 10, breadth: breadth, mode: mode, admitted: admitted, deleted: deleted)
            #expect(found.rows.count == truth.count && Set(found.rows).count == found.rows.count)
            // A found row's score is the one that a pass over the codes gives.
            #expect(zip(found.rows, found.scores).allSatisfy { scores[$0].bitPattern == $1.bitPattern })
            let pairs = Array(zip(found.scores, found.rows))
            #expect(zip(pairs, pairs.dropFirst()).allSatisfy { $0.0 > $1.0 || $0.0 == $1.0 && $0.1 < $1.1 })
            hits += Set(truth).intersection(found.rows).count
            all += truth.count
        }
        return Double(hits) / Double(all)
    }

    @Test("a walk finds what a pass over all codes finds, for queries among the rows and apart from them")
    func plain() throws {
        let graph = try Self.graph.get()
        #expect(graph.isWhole)
        let info = cv_graph_info(graph.block)
        #expect(info.count == Self.count && info.duplicates == 0 && info.degree == 24)
        #expect(try recall(graph, Self.queries) > 0.98)
        #expect(try recall(graph, Self.texts, breadth: 128) > 0.95)
        let found = try graph.search(CodedQueries(Self.queries, dimension: Self.dimension), breadth: 64)
        #expect(found.report.scored < Self.count / 2 && found.report.expanded >= 64 && found.report.limited == 0)
    }

    @Test("4-bit codes make a graph as well, and are walked over one of int8 codes")
    func fourBits() throws {
        let coded = Coded(Self.rows, dimension: Self.dimension, coding: CV_CODING_ROTATED4)
        #expect(try recall(Graph(coded, degree: 24, breadth: 100), Self.queries) > 0.97)
        let graph = try Self.graph.get()
        let queries = CodedQueries(Self.queries, dimension: Self.dimension, coding: CV_CODING_ROTATED4)
        let over = try Graph(coded, degree: 4, breadth: 10)
        let found = try over.search(queries, in: graph.block)
        #expect(
            Set(found.rows).intersection(
                best(10, of: coded.scores(queries, first: 0, rows: coded.count, level: .best)[..<coded.count])
            ).count >= 9)
    }

    @Test("one thread builds the same block on every level, again and again; two build one as good")
    func determinism() throws {
        let rows = Array(Self.rows[..<(1_500 * Self.dimension)])
        for coding in CodeTests.codings {
            let coded = Coded(rows, dimension: Self.dimension, coding: coding)
            let first = try Graph(coded, degree: 16, breadth: 50, level: .plain).bytes
            for level in Level.available { #expect(try Graph(coded, degree: 16, breadth: 50, level: level).bytes == first) }
        }
        let parallel = try Graph(Self.coded, degree: 24, breadth: 100, threads: 2)
        #expect(parallel.isWhole)
        #expect(try recall(parallel, Self.queries) > 0.98)
    }

    @Test("every level walks the same way")
    func levels() throws {
        let graph = try Self.graph.get()
        let queries = CodedQueries(Self.queries, dimension: Self.dimension)
        for mode in [CV_WALK_PLAIN, CV_WALK_TWO_HOP] {
            for admitted in [nil, (0..<Self.count).map { $0 % 3 == 0 }] {
                let expected = try graph.search(queries, 7, mode: mode, admitted: admitted, level: .plain)
                for level in Level.available {
                    let found = try graph.search(queries, 7, mode: mode, admitted: admitted, level: level)
                    #expect(found.rows == expected.rows && found.scores == expected.scores)
                    #expect(found.report.scored == expected.report.scored)
                }
            }
        }
    }

    @Test("a filter of any share is kept to, and what it admits is found", arguments: [CV_WALK_PLAIN, CV_WALK_TWO_HOP])
    func filters(mode: CVWalkMode) throws {
        let graph = try Self.graph.get()
        for share in [2, 5, 30, 300, 2_000, 6_001] {
            let admitted = (0..<Self.count).map { ($0 * 7_919) % 6_007 % share == 1 }
            // 6,001 admits a row or none.
            #expect(try recall(graph, Self.queries, mode: mode, admitted: admitted) > 0.95, "1 of \(share)")
        }
        #expect(try recall(graph, Self.texts, breadth: 128, mode: mode, admitted: (0..<Self.count).map { $0 % 10 == 0 }) > 0.93)
    }

    @Test("a filter that speaks against the query still gives k rows", arguments: [CV_WALK_PLAIN, CV_WALK_TWO_HOP])
    func contrary(mode: CVWalkMode) throws {
        let graph = try Self.graph.get()
        let queries = CodedQueries(Self.queries, dimension: Self.dimension)
        let scores = Self.coded.scores(queries, first: 0, rows: Self.count, level: .best)[..<Self.count]
        var admitted = [Bool](repeating: false, count: Self.count)
        for row in best(Self.count, of: scores).suffix(40) { admitted[row] = true }
        let found = try graph.search(queries, k: 25, mode: mode, admitted: admitted)
        #expect(found.rows.count == 25 && found.rows.allSatisfy { admitted[$0] })
        #expect(try graph.search(queries, k: 50, mode: mode, admitted: admitted).rows.count == 40)
        let none = try graph.search(queries, mode: mode, admitted: .init(repeating: false, count: Self.count))
        #expect(none.rows.isEmpty && none.report.limited == 0)
        let limited = try graph.search(queries, mode: mode, limit: 500, admitted: .init(repeating: false, count: Self.count))
        #expect(limited.report.limited == 1 && (500..<1_000).contains(limited.report.scored))
    }

    @Test(
        "deleted rows are never found, and what remains is, with a filter and without",
        arguments: [CV_WALK_PLAIN, CV_WALK_TWO_HOP])
    func deletions(mode: CVWalkMode) throws {
        let graph = try Self.graph.get()
        let deleted = (0..<Self.count).map { $0 % 4 != 0 }
        #expect(try recall(graph, Self.queries, mode: mode, deleted: deleted) > 0.97)
        #expect(
            try recall(graph, Self.queries, mode: mode, admitted: (0..<Self.count).map { $0 % 8 < 5 }, deleted: deleted) > 0.97)
        let all = try graph.search(
            CodedQueries(Self.queries, dimension: Self.dimension), k: Self.count, mode: mode, deleted: deleted)
        #expect(all.rows.count == Self.count / 4 && all.rows.allSatisfy { !deleted[$0] })
    }

    @Test("every row can be found: k of all rows gives all")
    func everything() throws {
        let found = try Self.graph.get().search(CodedQueries(Self.texts, dimension: Self.dimension), k: Self.count)
        #expect(found.rows.sorted() == Array(0..<Self.count))
        #expect(
            try Self.graph.get().search(CodedQueries(Self.texts, dimension: Self.dimension), k: Self.count + 7).rows.count
                == Self.count)
    }

    @Test(
        "thousands of equal rows part nothing from the rest, and each of them is found",
        arguments: [CV_WALK_PLAIN, CV_WALK_TWO_HOP])
    func duplicates(mode: CVWalkMode) throws {
        var rows = Array(Self.rows[..<(2_000 * Self.dimension)])
        let copy = rows[(77 * Self.dimension)..<(78 * Self.dimension)]
        for _ in 0..<3_000 { rows += copy }
        let coded = Coded(rows, dimension: Self.dimension)
        let graph = try Graph(coded, degree: 16, breadth: 60)
        #expect(graph.isWhole && cv_graph_info(graph.block).duplicates == 3_000)
        let own = CodedQueries(Array(copy), dimension: Self.dimension)
        let found = try graph.search(own, k: 3_050, breadth: 100, mode: mode)
        #expect(Set(found.rows.prefix(3_001)) == Set([77] + (2_000..<5_000)) && found.rows.count == 3_050)
        #expect(try graph.search(own, k: 5_000, mode: mode).rows.count == 5_000)
        #expect(try recall(graph, Array(Self.queries[..<(10 * Self.dimension)])) > 0.95)
        // The first of them deleted, one of the others admitted.
        let (deleted, admitted) = ((0..<5_000).map { $0 == 77 }, (0..<5_000).map { $0 == 77 || $0 == 4_321 || $0 == 5 })
        #expect(try graph.search(own, mode: mode, admitted: admitted, deleted: deleted).rows == [4_321, 5])
    }

    @Test("no rows, few rows, equal rows and zero rows")
    func degenerate() throws {
        for coding in CodeTests.codings {
            for count in [0, 1, 2, 3, 5] {
                for row: [Float] in [unit(Array(repeating: 1, count: 40)), Array(repeating: 0, count: 40)] {
                    let coded = Coded((0..<count).flatMap { _ in row }, dimension: 40, coding: coding)
                    let graph = try Graph(coded, threads: 3)
                    #expect(graph.isWhole)
                    let query = CodedQueries(row, dimension: 40, coding: coding)
                    for mode in [CV_WALK_PLAIN, CV_WALK_TWO_HOP] {
                        #expect(try graph.search(query, k: 10, mode: mode).rows == Array(0..<count))
                        let deleted = (0..<count).map { $0 == 0 }
                        #expect(
                            try graph.search(query, k: 10, mode: mode, deleted: deleted).rows == Array((0..<count).dropFirst()))
                    }
                }
            }
        }
        // Zero rows between others, which nothing is near to.
        var rows = Array(Self.rows[..<(500 * Self.dimension)])
        for row in stride(from: 0, to: 500, by: 50) {
            for d in 0..<Self.dimension { rows[row * Self.dimension + d] = 0 }
        }
        let graph = try Graph(Coded(rows, dimension: Self.dimension), degree: 8, breadth: 20)
        #expect(try graph.search(CodedQueries(Self.queries, dimension: Self.dimension), k: 500).rows.count == 500)
    }

    @Test("a damaged block is refused, or a search in it stays inside")
    func damage() throws {
        let rows = Array(Self.rows[..<(400 * Self.dimension)]) + Self.rows[..<(20 * Self.dimension)]
        let graph = try Graph(Coded(rows, dimension: Self.dimension), degree: 8, breadth: 30)
        let queries = CodedQueries(Self.queries, dimension: Self.dimension)
        let bytes = graph.bytes
        #expect(cv_graph_check(graph.block, graph.length, 419) == 0 && cv_graph_check(graph.block, graph.length, 421) == 0)
        for length in Array(0..<130) + [graph.length - 64, graph.length - 1, graph.length + 1] {
            #expect(cv_graph_check(graph.block, length, 420) == 0)
        }
        var generator = SeededGenerator(state: 9)
        var (refused, walked) = (0, 0)
        for place in Array(0..<(64 * 8)) + (0..<3_000).map({ _ in Int.random(in: 0..<bytes.count * 8, using: &generator) }) {
            graph.block.storeBytes(of: bytes[place / 8] ^ 1 << UInt8(place % 8), toByteOffset: place / 8, as: UInt8.self)
            if graph.isWhole {
                walked += 1
                for mode in [CV_WALK_PLAIN, CV_WALK_TWO_HOP] {
                    let found = try graph.search(
                        queries, walked % 30, k: 30, mode: mode, deleted: walked % 2 == 0 ? (0..<420).map { $0 % 3 == 0 } : nil)
                    #expect(found.rows.allSatisfy { $0 < 420 } && Set(found.rows).count == found.rows.count)
                }
            } else {
                refused += 1
            }
            graph.block.storeBytes(of: bytes[place / 8], toByteOffset: place / 8, as: UInt8.self)
        }
        // A bit of the header is noticed, and so is a row that isn't there.
        #expect(refused > 1_000 && walked > 100)
        #expect(graph.isWhole)
    }

    @Test("a build that is cancelled ends with nothing, and progress rises to 1")
    func cancelling() throws {
        let build = try #require(cv_build_create())
        defer { cv_build_free(build) }
        #expect(cv_build_progress(build) == 0)
        var options = CVGraphOptions(), block: UnsafeMutableRawPointer?, length = 0
        #expect(Self.coded.withCodes { cv_graph_build(Level.best.code, $0, &options, build, &block, &length) } == CV_OK)
        #expect(cv_build_progress(build) == 1)
        cv_free_bytes(block, length)
        cv_build_cancel(build)
        (block, length) = (nil, 7)
        options.threads = 2
        #expect(Self.coded.withCodes { cv_graph_build(Level.best.code, $0, &options, build, &block, &length) } == CV_CANCELLED)
        #expect(block == nil && length == 7)
    }

    @Test("options and requests outside of their ranges are refused")
    func refusals() throws {
        var block: UnsafeMutableRawPointer?, length = 0
        for options in [
            CVGraphOptions(degree: 3, breadth: 0, slack: 0, threads: 0, seed: 0),
            CVGraphOptions(degree: 257, breadth: 0, slack: 0, threads: 0, seed: 0),
            CVGraphOptions(degree: 0, breadth: 4_097, slack: 0, threads: 0, seed: 0),
            CVGraphOptions(degree: 0, breadth: 0, slack: 0.9, threads: 0, seed: 0),
            CVGraphOptions(degree: 0, breadth: 0, slack: .nan, threads: 0, seed: 0),
            CVGraphOptions(degree: 0, breadth: 0, slack: 0, threads: 257, seed: 0),
        ] {
            var options = options
            #expect(
                Self.coded.withCodes { cv_graph_build(CV_LEVEL_PLAIN, $0, &options, nil, &block, &length) } == CV_BAD_ARGUMENT)
        }
        #expect(block == nil && length == 0)
        let graph = try Self.graph.get()
        let queries = CodedQueries(Self.queries, dimension: Self.dimension)
        for (k, room) in [(0, Self.count), (1, Self.count - 1)] {
            let walk = try #require(cv_walk_create(room))
            defer { cv_walk_free(walk) }
            var request = CVWalkRequest(mode: CV_WALK_PLAIN, k: k, breadth: 1, limit: 0, admitted: nil, deleted: nil)
            var row: UInt32 = 0, score: Float = 0, report = CVWalkReport()
            let status = Self.coded.withCodes { codes in
                queries.with { cv_graph_search(CV_LEVEL_PLAIN, graph.block, codes, $0, 0, &request, walk, &row, &score, &report) }
            }
            #expect(status == CV_BAD_ARGUMENT)
        }
    }
}
