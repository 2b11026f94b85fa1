import Foundation
import Hummingbird
public import Imaging
public import Logging
import NIOCore
import ServiceLifecycle

/// How much one client may ask for.
public struct ServerLimits: Sendable {
    /// Bytes of one request's body.
    public var uploadBytes = 20 << 20
    /// What a picture may be, judged from its header.
    public var pictures = DecodingLimits.standard
    /// Searches that may be under way at once; one more is told to come back.
    public var uploadsAtOnce = 64
    /// Bytes of all uploads together.
    public var uploadBytesAtOnce = 256 << 20

    public init() {}
}

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

    public init(
        host: String = "127.0.0.1", port: Int = 8080, basePath: String = "", allowedOrigins: [String] = [],
        limits: ServerLimits = ServerLimits()
    ) {
        self.host = host
        self.port = port
        self.basePath = basePath
        self.allowedOrigins = allowedOrigins
        self.limits = limits
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

/// The server: routes over a `SearchService`, composed; the routes themselves are in `Routes/`.
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
    func responder() -> some HTTPResponder<APIContext> {
        BasePathResponder(base: BasePath(settings.basePath), inner: router().buildResponder())
    }

    func router() -> Router<APIContext> {
        let base = BasePath(settings.basePath)
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: AccessLog())
        router.add(middleware: AllowedOrigins(origins: Set(settings.allowedOrigins)))
        router.add(middleware: ErrorAnswers())
        RootRoutes(service: service, base: base, page: page).add(to: router)
        let group = router.group("api/v1")
        SearchRoutes(service: service, limits: settings.limits, base: base).add(to: group)
        ModelRoutes(service: service).add(to: group)
        ProductRoutes(service: service, base: base).add(to: group)
        ImageRoutes(service: service, base: base).add(to: group)
        return router
    }

    func application(onListening: @escaping @Sendable (Int) async -> Void = { _ in }) -> some ApplicationProtocol {
        Application(
            responder: responder(), server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), serverName: "stylefinder"),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? settings.port) }, logger: logger)
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
}
