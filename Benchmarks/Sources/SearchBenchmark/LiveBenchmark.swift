import Catalog
import Foundation
import Imaging
import Retrieval
import Search

/// Measures what a server does with a large catalogue: loading, filters, and searches of several clients at once. Everything but HTTP and
/// the model.
struct LiveBenchmark {
    let catalog: GeneratedCatalog
    let clients: Int
    let searchesPerClient: Int
    let form: VectorForm

    /// Gives no vectors: queries bring theirs along.
    private struct NoModel: EmbeddingModel {
        let model: ModelRecord
        func encode(images: [RGBImage]) -> [[Float]] { [] }
        func encode(texts: [String]) -> [[Float]] { [] }
    }

    private let clock = ContinuousClock()

    func run() async throws {
        let store = try catalog.open()
        try answer(
            "\(catalog.images) images × \(catalog.dimension), \(clients) clients, \(ProcessInfo.processInfo.activeProcessorCount) cores"
        )

        var live: LiveCatalog?
        let columns = try clock.measure { live = try LiveCatalog(store, form: form) }
        guard let live else { return }
        try answer("columns: \(milliseconds(columns)) ms")
        let before = try Memory.resident()
        try Memory.forgetPeak()
        var engine: SearchEngine?
        let loading = try clock.measure { engine = try SearchEngine(live, encoder: NoModel(model: catalog.model)) }
        guard let engine else { return }
        let (after, peak) = (try Memory.resident(), try Memory.peak())
        let ratio = Double(peak - before) / Double(after - before)
        try answer(
            "index of \(form): \(milliseconds(loading)) ms, resident +\((after - before) >> 10) MB, peak +\((peak - before) >> 10) MB, ratio \(String(format: "%.3f", ratio))"
        )

        var filtering: [Duration] = []
        var admitted = 0
        for number in 0..<400 {
            let filter = try filter(number)
            filtering.append(try clock.measure { admitted += try live.columns.images(matching: filter).count })
        }
        try answer("filter of three clauses, admits \(admitted / 400) images on average: \(summary(filtering))")

        try await measure("search, no filter") { number in
            _ = try await engine.search(SearchQuery(.vector(query(number)), limit: 20))
        }
        try await measure("search, three clauses") { number in
            _ = try await engine.search(SearchQuery(.vector(query(number)), limit: 20, filter: filter(number)))
        }
        try await measure("similar, three clauses") { number in
            _ = try await engine.search(
                SearchQuery(.product("P\(number * 97 % (catalog.images / 4))"), limit: 20, filter: filter(number)))
        }
        try await measure("page with facets, three clauses") { number in
            _ = try await live.productPage(
                matching: filter(number), offset: 0, limit: 24, facets: ["category", "color", "brand"])
        }
        try await measure("page with facets, no filter") { _ in
            _ = try await live.productPage(
                matching: CatalogFilter(), offset: 0, limit: 24, facets: ["category", "color", "brand"])
        }
        if form == .codes { try await measureFiles(live, store) }
    }

    /// Writing the files of an index, and a start from them.
    private func measureFiles(_ live: LiveCatalog, _ store: CatalogStore) async throws {
        let saving = try clock.measure { try live.saveFiles(of: catalog.model) }
        let next = try LiveCatalog(store, form: .codes)
        let before = try Memory.resident()
        var engine: SearchEngine?
        let mapping = try clock.measure { engine = try SearchEngine(next, encoder: NoModel(model: catalog.model)) }
        let after = try Memory.resident()
        let first = try await clock.measure { _ = try await engine?.search(SearchQuery(.vector(query(0)), limit: 20)) }
        try answer(
            "files: written in \(milliseconds(saving)) ms; index from them: \(milliseconds(mapping)) ms, resident +\((after - before) >> 10) MB, first search \(milliseconds(first)) ms"
        )
    }

    /// All clients at once, each with one request after the other; beside them, how long a task of no work waits for Swift's pool, as one that
    /// answers `/healthz` would.
    private func measure(_ what: String, _ request: @escaping @Sendable (Int) async throws -> Void) async throws {
        let alive = Task {
            var waits: [Duration] = []
            while !Task.isCancelled {
                let begin = clock.now
                await Task.detached {}.value
                waits.append(clock.now - begin)
                try? await Task.sleep(for: .milliseconds(5))
            }
            return waits
        }
        let begin = clock.now
        let times = try await withThrowingTaskGroup(of: [Duration].self) { group in
            for client in 0..<clients {
                group.addTask {
                    var times: [Duration] = []
                    for number in 0..<searchesPerClient {
                        let begin = clock.now
                        try await request(client * searchesPerClient + number)
                        times.append(clock.now - begin)
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let seconds = (clock.now - begin) / .seconds(1)
        alive.cancel()
        let rate = String(format: "%.1f", Double(times.count) / seconds)
        try answer("\(what): \(summary(times)), \(rate) a second; an idle task meanwhile: \(summary(await alive.value))")
    }

    private func filter(_ number: Int) throws -> CatalogFilter {
        let color = GeneratedCatalog.colors[number % GeneratedCatalog.colors.count]
        return try CatalogFilter(["color=\(color)", "category=\(number % 2 == 0 ? "Women" : "Men")", "price=20..120"])
    }

    private func query(_ number: Int) -> [Float] {
        var noise = Noise()
        for _ in 0..<number * catalog.dimension { _ = noise.next() }
        let vector = (0..<catalog.dimension).map { _ in noise.next() }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }

    private func milliseconds(_ duration: Duration) -> String { String(format: "%.2f", duration / .milliseconds(1)) }

    private func summary(_ durations: [Duration]) -> String {
        let sorted = durations.sorted()
        guard !sorted.isEmpty else { return "nothing measured" }
        func percentile(_ share: Double) -> Duration { sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))] }
        return "p50 \(milliseconds(percentile(0.5))) ms, p99 \(milliseconds(percentile(0.99))) ms"
    }
}

/// Memory of this process, in KiB, as the kernel counts it.
enum Memory {
    static func resident() throws -> Int { try field("VmRSS:") }

    /// The most since the last call of `forgetPeak`.
    static func peak() throws -> Int { try field("VmHWM:") }

    static func forgetPeak() throws { try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8) }

    private static func field(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { $0.split(separator: " ").dropFirst().first?.trimmingCharacters(in: .whitespaces) }.flatMap {
            Int($0)
        } ?? 0
    }
}
