#if Milvus
    import Foundation
    import GRPCCore
    import GRPCNIOTransportCore
    import GRPCNIOTransportHTTP2Posix
    import SwiftProtobuf

    /// An answer that says whether the call did what it was asked.
    protocol StatedAnswer: Sendable {
        var status: WireStatus { get }
    }

    extension WireStatus: StatedAnswer { var status: WireStatus { self } }
    extension WireConnectResponse: StatedAnswer {}
    extension WireDescribeCollectionResponse: StatedAnswer {}
    extension WireGetLoadStateResponse: StatedAnswer {}
    extension WireMutationResult: StatedAnswer {}
    extension WireFlushResponse: StatedAnswer {}
    extension WireSearchResults: StatedAnswer {}
    extension WireQueryResults: StatedAnswer {}

    /// Calls to one Milvus, over connections that are opened at need and go with the object. Each call here may be repeated without harm, so one that
    /// nobody answered is attempted again.
    final class MilvusConnection: Sendable {
        typealias Client = WireMilvusService.Client<HTTP2ClientTransport.Posix>

        /// What every call carries.
        struct Call: Sendable {
            let client: Client
            let metadata: Metadata
            let options: CallOptions
        }

        let server: MilvusServer
        private let client: GRPCClient<HTTP2ClientTransport.Posix>
        private let running: Task<Void, Never>
        private let metadata: Metadata

        /// - Throws: `.address`.
        init(_ server: MilvusServer) throws(MilvusError) {
            self.server = server
            var metadata: Metadata = [:]
            if let token = server.token { metadata.addString(Data(token.utf8).base64EncodedString(), forKey: "authorization") }
            if !server.database.isEmpty { metadata.addString(server.database, forKey: "dbname") }
            self.metadata = metadata
            var config = HTTP2ClientTransport.Posix.Config.defaults
            // One that comes back is found soon: by default a client that was refused for long waits two minutes before it tries again.
            config.backoff = .init(initial: .milliseconds(100), max: .milliseconds(500), multiplier: 1.6, jitter: 0.2)
            do {
                client = GRPCClient(
                    transport: try .http2NIOPosix(
                        target: .dns(host: server.host, port: server.port),
                        transportSecurity: server.isEncrypted ? .tls : .plaintext, config: config))
            } catch {
                throw .address(server.name, reason: "\(error)")
            }
            running = Task { [client] in
                // What goes wrong with a connection is told to the calls on it.
                try? await client.runConnections()
            }
        }

        deinit { client.beginGracefulShutdown() }

        /// Rows with their documents come in one message, and a page of them is larger than the four megabytes that gRPC takes by default.
        private static let messageLimit = 64 << 20

        /// - Parameters:
        ///   - name: of the call, for sentences.
        ///   - deadline: for each attempt; the server's where left out.
        /// - Throws: `.unreachable`, `.denied`, `.refused`, `.noCollection`, `.answer`.
        func call<Answer: StatedAnswer>(
            _ name: String, of collection: String = "", deadline: Duration? = nil, _ body: (Call) async throws -> Answer
        ) async throws(MilvusError) -> Answer {
            var options = CallOptions.defaults
            options.timeout = deadline ?? server.deadline
            options.maxRequestMessageBytes = Self.messageLimit
            options.maxResponseMessageBytes = Self.messageLimit
            let call = Call(client: Client(wrapping: client), metadata: metadata, options: options)
            var attempt = 1
            while true {
                do throws(MilvusError) {
                    return try await once(name, collection, call, body)
                } catch {
                    guard error.isTransient, attempt < max(1, server.attempts), !Task.isCancelled else { throw error }
                    // 0.1, 0.2, 0.4 … s at most, so that many who wait do not come back at the same moment.
                    let longest = min(0.1 * Double(1 << min(attempt - 1, 10)), 2)
                    try? await Task.sleep(for: .seconds(Double.random(in: longest / 2...longest)))
                    attempt += 1
                }
            }
        }

        private func once<Answer: StatedAnswer>(
            _ name: String, _ collection: String, _ call: Call, _ body: (Call) async throws -> Answer
        ) async throws(MilvusError) -> Answer {
            let answer: Answer
            do {
                answer = try await body(call)
            } catch let error as RPCError {
                throw Self.sorted(error, server, name)
            } catch is CancellationError {
                throw .unreachable(server: server.name, reason: "the call was cancelled")
            } catch {
                throw .answer(server: server.name, call: name, reason: "\(error)")
            }
            let status = answer.status
            guard status.code != 0 || status.errorCode != 0 else { return answer }
            let reason = Self.sentence(status.reason.isEmpty ? "code \(status.code), without a reason" : status.reason)
            switch (Int(status.code), Int(status.errorCode)) {
            case (Codes.collectionNotFound, _), (_, Codes.formerCollectionNotFound):
                throw .noCollection(server: server.name, name: collection)
            case (Codes.collectionNotLoaded, _), (_, Codes.collectionNotLoaded):
                throw .notLoaded(server: server.name, name: collection)
            case _ where status.retriable, (Codes.rateLimit, _), (_, Codes.formerRateLimit):
                throw .unreachable(server: server.name, reason: reason)
            case (Codes.denied, _), (Codes.unauthenticated, _): throw .denied(server: server.name, reason: reason)
            default: throw .refused(server: server.name, call: name, reason: reason, code: Int(status.code))
            }
        }

        /// Milvus's own codes: those of now, and of the enumeration that older servers give.
        enum Codes {
            static let rateLimit = 8
            static let collectionNotFound = 100
            static let collectionNotLoaded = 101
            static let formerCollectionNotFound = 4
            static let formerRateLimit = 49
            static let indexIsThere = 35
            static let denied = 1401
            static let unauthenticated = 1400
        }

        private static func sorted(_ error: RPCError, _ server: MilvusServer, _ name: String) -> MilvusError {
            switch error.code {
            case .unavailable, .resourceExhausted, .aborted:
                // The cause says what happened to the connection, the message what gRPC made of that.
                return .unreachable(server: server.name, reason: sentence(error.cause.map { "\($0)" } ?? error.message))
            // A connection that broke in the middle of a call.
            case .unknown where error.cause != nil, .internalError where error.cause != nil:
                return .unreachable(server: server.name, reason: sentence(error.message))
            case .deadlineExceeded:
                return .unreachable(server: server.name, reason: "\(name) took longer than \(server.deadline)")
            case .cancelled: return .unreachable(server: server.name, reason: "the call was cancelled")
            case .unauthenticated, .permissionDenied: return .denied(server: server.name, reason: sentence(error.message))
            case .unimplemented: return .answer(server: server.name, call: name, reason: "it does not know the call")
            default:
                return .refused(server: server.name, call: name, reason: "\(error.code): \(sentence(error.message))", code: 0)
            }
        }

        /// One line, without the full stop that ours ends with.
        private static func sentence(_ text: String) -> String {
            let line = text.split(whereSeparator: \.isNewline).joined(separator: " ").trimmingCharacters(in: .whitespaces)
            let short = line.count > 300 ? line.prefix(300) + "…" : line[...]
            return short.hasSuffix(".") ? String(short.dropLast()) : String(short)
        }
    }
#endif
