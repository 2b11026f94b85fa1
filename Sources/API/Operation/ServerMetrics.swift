import Catalog
import CoreMetrics
import Foundation
import HTTPTypes
import Hummingbird
import Search

/// What a server counts of its requests.
struct ServerMetrics: Sendable {
    let registry: MetricsRegistry
    let connections: @Sendable () -> Int

    /// Those of the request that is being answered.
    @TaskLocal static var current: ServerMetrics?

    /// - Parameter connections: how many are open.
    init(_ registry: MetricsRegistry, connections: @escaping @Sendable () -> Int) {
        self.registry = registry
        self.connections = connections
        for (name, help) in Self.helps { registry.describe(name, help) }
    }

    /// - Parameter route: as the router has it; nil for an address that is none.
    func note(_ method: HTTPRequest.Method, route: String?, _ status: HTTPResponse.Status, code: String?, _ duration: Duration) {
        let route = route ?? "(none)"
        // A client may send any method and meets one counter for all that are none of ours.
        let method = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"].contains(method.rawValue) ? method.rawValue : "(other)"
        count("stylefinder_http_requests", [("method", method), ("route", route), ("status", String(status.code))])
        time("stylefinder_http_request", [("route", route)], duration)
        if let code { count("stylefinder_errors", [("code", code)]) }
    }

    /// The parts of a search, in milliseconds.
    func note(searchBy model: String, _ timing: [String: Double], decoded: Double?) {
        var phases = timing.filter { $0.key != "total" }
        if let decoded { phases["decode"] = decoded }
        for (phase, milliseconds) in phases {
            time("stylefinder_search_phase", [("model", model), ("phase", phase)], .milliseconds(1) * milliseconds)
        }
    }

    private func count(_ name: String, _ labels: [(String, String)]) {
        registry.makeCounter(label: name, dimensions: labels).increment(by: 1)
    }

    private func time(_ name: String, _ labels: [(String, String)], _ duration: Duration) {
        registry.makeTimer(label: name, dimensions: labels).recordNanoseconds(Int64(duration / .nanoseconds(1)))
    }

    /// What is looked up when somebody asks: queues, connections, and what is served.
    func text(_ service: SearchService) -> String {
        var gauges: [(name: String, labels: [(String, String)], value: Double)] = []
        for (queue, length) in WorkPool.lengths.sorted(by: { $0.key < $1.key }) {
            gauges.append(("stylefinder_queue_length", [("queue", queue)], Double(length)))
        }
        gauges.append(("stylefinder_connections", [], Double(connections())))
        let models = (try? service.served()) ?? []
        gauges.append(("stylefinder_models_loaded", [], Double(models.count)))
        if let live = try? service.browsed() {
            gauges.append(("stylefinder_queue_length", [("queue", "search")], Double(live.threads.inUse)))
            gauges.append(("stylefinder_catalog_images", [], Double(live.columns.usable.count)))
        }
        for model in models {
            gauges.append(("stylefinder_catalog_vectors", [("model", model.card.id)], Double(model.engine.count)))
        }
        gauges.append(("stylefinder_ready", [], service.isReady && !service.metDamage ? 1 : 0))
        gauges.append(("process_start_time_seconds", [], Self.start))
        if let bytes = Self.residentBytes { gauges.append(("process_resident_memory_bytes", [], bytes)) }
        return registry.text(gauges: gauges)
    }

    private static let start = Date().timeIntervalSince1970.rounded()

    /// The second number of this file is the resident pages'; nil where the system has no such file.
    private static var residentBytes: Double? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let numbers = text.split(separator: " ")
        guard numbers.count > 1, let pages = Double(numbers[1]) else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static let helps = [
        ("stylefinder_http_requests_total", "Requests by method, route and status."),
        ("stylefinder_http_request_seconds", "From a request's head to its answer, by route."),
        ("stylefinder_errors_total", "Errors by their code."),
        ("stylefinder_search_phase_seconds", "Parts of a search: decode, encode, search."),
        ("stylefinder_encoder_batch_size", "Pictures in one pass of a model."),
        ("stylefinder_encoder_waiting", "Pictures that wait for a pass of a model."),
        ("stylefinder_queue_length", "Work under way and waiting, by queue."),
        ("stylefinder_connections", "Open connections."),
        ("stylefinder_models_loaded", "Models that answer."),
        ("stylefinder_catalog_images", "Pictures that can be found."),
        ("stylefinder_catalog_vectors", "Vectors in the index, by model."),
        ("stylefinder_ready", "1 where searches are answered."),
        ("process_start_time_seconds", "When the process began, in seconds since 1970."),
        ("process_resident_memory_bytes", "Memory of the process."),
    ]
}
