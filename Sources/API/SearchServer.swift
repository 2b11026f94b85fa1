import Foundation
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import ServiceLifecycle

/// Where and for whom a server listens.
public struct ServerSettings: Sendable {
    public var host: String
    /// 0 takes any free port.
    public var port: Int
    /// The address below which a proxy shows it, such as `/finder`.
    public var basePath: String
    /// Origins whose pages may call the API.
    public var allowedOrigins: [String]
    public var limits: ServerLimits
    /// Whoever sends it may change the catalogue; nobody may where there is none.
    public var adminToken: AdminToken?
    /// Requests that one client may make a second; nil for any number.
    public var rate: Double?
    /// Proxies whose word is taken for whom they ask.
    public var trustedProxies: [Network] = []
    public var accessLog = AccessLog.lines
    /// Opens models that are brought in while the server runs; nil brings in none.
    public var modelOpening: (any ModelOpening)?
    /// What is counted: one that swift-metrics is bootstrapped with also counts what other modules do.
    public var metrics = MetricsRegistry()

    public init(
        host: String = "127.0.0.1", port: Int = 8080, basePath: String = "", allowedOrigins: [String] = [],
        limits: ServerLimits = ServerLimits(), adminToken: AdminToken? = nil
    ) {
        self.host = host
        self.port = port
        self.basePath = basePath
        self.allowedOrigins = allowedOrigins
        self.limits = limits
        self.adminToken = adminToken
    }
}

/// Why a server does not listen.
public enum ServerError: Error, Equatable, CustomStringConvertible {
    case portInUse(host: String, port: Int)
    case cannotListen(host: String, port: Int, reason: String)

    public var description: String {
        switch self {
        case .portInUse(let host, let port): "Port \(port) of \(host) is in use; name another one with --port."
        case .cannotListen(let host, let port, let reason): "The server can't listen on \(host), port \(port): \(reason)."
        }
    }
}

/// The server: routes over a `SearchService`, composed. The routes themselves are in `Routes/`, what stands before them in `Connections/` and
/// `Front.swift`.
public struct SearchServer: Sendable {
    private let settings: ServerSettings
    private let service: SearchService
    private let page: StaticPage?
    private let logger: Logger

    public init(_ service: SearchService, page: StaticPage? = nil, settings: ServerSettings = ServerSettings(), logger: Logger) {
        self.service = service
        self.page = page
        self.settings = settings
        self.logger = logger
    }

    /// Everything but the socket.
    func responder(_ connections: Connections) -> some HTTPResponder<APIContext> {
        let router = router()
        return Front(
            inner: BasePathResponder(
                base: BasePath(settings.basePath),
                inner: RequestRules(
                    routes: RouteTable(router), adminToken: settings.adminToken, inner: router.buildResponder())),
            connections: connections, settings: settings,
            onFailure: { [service] in service.note($0) })
    }

    func router() -> Router<APIContext> {
        let base = BasePath(settings.basePath)
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        RootRoutes(service: service, base: base, page: page).add(to: router)
        let group = router.group("api/v1")
        let searching = Searching(service: service, limits: settings.limits, base: base)
        SearchRoutes(searching).add(to: group)
        ExplanationRoutes(searching).add(to: group)
        RegionRoutes(searching).add(to: group)
        PaperRoutes(searching).add(to: router.group("api"))
        let intake = ModelIntake(service: service, opening: settings.modelOpening)
        ModelRoutes(service: service, intake: intake).add(to: group)
        ProductRoutes(service: service, base: base).add(to: group)
        ImageRoutes(service: service, limits: settings.limits, base: base).add(to: group)
        addAdminRoutes(to: router.group("api/v1").add(middleware: AdminGate(token: settings.adminToken)), intake)
        return router
    }

    private func addAdminRoutes(to group: RouterGroup<APIContext>, _ intake: ModelIntake) {
        let editor = CatalogEditor(service: service, limits: settings.limits)
        EditingRoutes(editor: editor, limits: settings.limits, base: BasePath(settings.basePath)).add(to: group)
        BatchRoutes(editor: editor, service: service, limits: settings.limits).add(to: group)
        ModelEditingRoutes(service: service, intake: intake, limits: settings.limits).add(to: group)
        DuplicateRoutes(service: service, limits: settings.limits, base: BasePath(settings.basePath)).add(to: group)
    }

    func application(onListening: @escaping @Sendable (Int) async -> Void = { _ in }) -> some ApplicationProtocol {
        let limit = Self.room(for: settings.limits.connections)
        let connections = Connections(limit: limit) { [logger] in
            logger.notice("All \(limit) connections are taken: idle ones are closed, and new ones wait.")
        }
        let limits = settings.limits
        return Application(
            responder: responder(connections),
            server: HTTPServerBuilder { WatchedChannel(responder: $0, limits: limits, connections: connections) },
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), serverName: "stylefinder",
                availableConnectionsDelegate: RoomForConnections(connections)),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? settings.port) }, logger: logger)
    }

    /// As many connections as the process may have files open beside its own: a server without descriptors could neither take a connection nor read
    /// a picture.
    private static func room(for connections: Int) -> Int {
        var files = rlimit()
        guard getrlimit(Self.openFiles, &files) == 0 else { return connections }
        let own = 80
        return max(8, min(connections, Int(clamping: files.rlim_cur) - own))
    }

    /// Listens until `stop` says so, then finishes what is under way, for ten seconds at most.
    /// - Parameters:
    ///   - stop: returns when the server shall end.
    ///   - onListening: told the port once connections are taken.
    /// - Throws: `ServerError`.
    public func run(
        until stop: @escaping @Sendable () async -> Void, onListening: @escaping @Sendable (Int) async -> Void
    ) async throws {
        var configuration = ServiceGroupConfiguration(services: [application(onListening: onListening)], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        let group = ServiceGroup(configuration: configuration)
        do {
            try await withThrowingTaskGroup(of: Bool.self) { tasks in
                tasks.addTask {
                    try await group.run()
                    return true
                }
                tasks.addTask {
                    await stop()
                    await group.triggerGracefulShutdown()
                    return false
                }
                // As a rule a stop comes first, and the server's end is waited for. A server that ended by itself needs no stop.
                while let isServer = try await tasks.next() { if isServer { tasks.cancelAll() } }
            }
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw ServerError.portInUse(host: settings.host, port: settings.port)
        } catch is SocketAddressError.UnknownHost {
            throw ServerError.cannotListen(host: settings.host, port: settings.port, reason: "there is no such host")
        } catch let error as IOError {
            throw ServerError.cannotListen(
                host: settings.host, port: settings.port, reason: String(cString: strerror(error.errnoCode)))
        }
    }

    #if canImport(Glibc)
        private static let openFiles = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let openFiles = RLIMIT_NOFILE
    #endif
}
