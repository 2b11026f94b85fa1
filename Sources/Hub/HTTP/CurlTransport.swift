import CCurl
import Foundation

/// GETs over libcurl, with connections that are used again. Foundation's own client was looked at first: on Linux it hands pieces over without
/// waiting for them to be taken, so a slow disk would fill the memory.
///
/// Not `Sendable`: one thread uses it.
final class CurlTransport: HTTPTransport {
    private let handle: UnsafeMutableRawPointer
    private let settings: HubSettings
    private let shouldStop: () -> Bool

    private static let isReady = ccurl_begin() != 0

    /// - Parameter shouldStop: asked at least once a second while a transfer goes on.
    init(_ settings: HubSettings, shouldStop: @escaping () -> Bool) throws {
        guard Self.isReady, let handle = curl_easy_init() else { throw Trouble.permanent("libcurl can't be started") }
        self.handle = handle
        self.settings = settings
        self.shouldStop = shouldStop
    }

    deinit { curl_easy_cleanup(handle) }

    /// What the callbacks of one transfer share.
    private final class Exchange {
        let receiver: any HTTPReceiver
        let shouldStop: () -> Bool
        var status = 0
        var headers: [String: String] = [:]
        var hasHead = false
        var error: (any Error)?

        init(_ receiver: any HTTPReceiver, shouldStop: @escaping () -> Bool) {
            self.receiver = receiver
            self.shouldStop = shouldStop
        }

        /// Whether the transfer goes on.
        func take(line: String) -> Bool {
            // Behind the body a server may send more of them, which say nothing about it.
            if hasHead { return true }
            if line.hasPrefix("HTTP/") {
                let words = line.split(separator: " ", maxSplits: 2)
                status = words.count > 1 ? Int(words[1]) ?? 0 : 0
                headers = [:]
            } else if line.isEmpty {
                // 100 and its like announce an answer.
                guard status >= 200 else { return true }
                hasHead = true
                return attempt { try receiver.receive(HTTPHead(status: status, headers: headers)) }
            } else if let colon = line.firstIndex(of: ":") {
                headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            }
            return true
        }

        func take(_ bytes: UnsafeRawBufferPointer) -> Bool { attempt { try receiver.receive(bytes) } }

        private func attempt(_ body: () throws -> Void) -> Bool {
            do { try body() } catch {
                self.error = error
                return false
            }
            return true
        }
    }

    func get(_ request: HTTPRequest, into receiver: any HTTPReceiver) throws {
        if shouldStop() { throw HubError.stopped(kept: nil) }
        // Keeps the connections.
        curl_easy_reset(handle)
        let exchange = Exchange(receiver, shouldStop: shouldStop)
        var list: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(list) }
        // A body that a server compresses on the way has no size and no ranges.
        for (name, value) in request.headers + [("Accept-Encoding", "identity")] {
            guard let longer = curl_slist_append(list, "\(name): \(value)") else {
                throw Trouble.permanent("no memory for a request")
            }
            list = longer
        }
        let seconds = max(1, Int(settings.patience / .seconds(1)))
        _ = ccurl_set_text(handle, CURLOPT_URL, request.url.absoluteString)
        _ = ccurl_set_text(handle, CURLOPT_USERAGENT, "stylefinder/0.1")
        _ = ccurl_set_headers(handle, list)
        // Empty means none, and that libcurl does not look into the environment itself.
        _ = ccurl_set_text(handle, CURLOPT_PROXY, settings.proxy(for: request.url) ?? "")
        _ = ccurl_set_text(handle, CURLOPT_NOPROXY, settings.withoutProxy)
        _ = ccurl_set_number(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        _ = ccurl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        _ = ccurl_set_number(handle, CURLOPT_FOLLOWLOCATION, 0)
        _ = ccurl_set_number(handle, CURLOPT_CONNECTTIMEOUT, seconds)
        // Fewer bytes a second than this for so long is a connection that is dead.
        _ = ccurl_set_number(handle, CURLOPT_LOW_SPEED_LIMIT, 64)
        _ = ccurl_set_number(handle, CURLOPT_LOW_SPEED_TIME, seconds)
        _ = ccurl_set_number(handle, CURLOPT_BUFFERSIZE, 256 << 10)
        if let file = settings.certificates ?? Self.systemCertificates { _ = ccurl_set_text(handle, CURLOPT_CAINFO, file) }
        ccurl_set_callbacks(
            handle,
            { bytes, size, count, user in
                guard let user, let bytes else { return 0 }
                let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self)
                let exchange = Unmanaged<Exchange>.fromOpaque(user).takeUnretainedValue()
                return exchange.take(line: line.trimmingCharacters(in: .whitespacesAndNewlines)) ? size * count : 0
            },
            { bytes, size, count, user in
                guard let user, let bytes else { return 0 }
                let exchange = Unmanaged<Exchange>.fromOpaque(user).takeUnretainedValue()
                return exchange.take(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
            },
            { user, _, _, _, _ in
                guard let user else { return 1 }
                return Unmanaged<Exchange>.fromOpaque(user).takeUnretainedValue().shouldStop() ? 1 : 0
            }, Unmanaged.passUnretained(exchange).toOpaque())
        let (code, said) = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { buffer in
            buffer.initialize(repeating: 0)
            _ = ccurl_set_error_buffer(handle, buffer.baseAddress)
            // Until here nobody but the pointer would keep it.
            let code = withExtendedLifetime(exchange) { curl_easy_perform(handle) }
            _ = ccurl_set_error_buffer(handle, nil)
            let detail = buffer.baseAddress.map { String(cString: $0) } ?? ""
            return (code, detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail)
        }
        if let error = exchange.error { throw error }
        switch code {
        case CURLE_OK: return
        case CURLE_ABORTED_BY_CALLBACK: throw HubError.stopped(kept: nil)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_ISSUER_ERROR:
            throw Trouble.permanent(
                "the certificate of \(request.url.host ?? "the server") is not trusted (\(said)); SSL_CERT_FILE names others to trust"
            )
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT:
            throw Trouble.permanent(said)
        case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2_STREAM:
            throw Trouble.connection("the connection to \(request.url.host ?? "the server") was cut (\(said))")
        case CURLE_OPERATION_TIMEDOUT:
            throw Trouble.connection("\(request.url.host ?? "the server") has not answered for \(seconds) s")
        default: throw Trouble.connection(said)
        }
    }

    /// Where another system than the one that libcurl was built for keeps its certificates; nil where libcurl knows it.
    private static let systemCertificates: String? = {
        #if os(Linux)
            let known = [
                "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                "/etc/ssl/cert.pem",
            ]
            return known.first { FileManager.default.isReadableFile(atPath: $0) }
        #else
            return nil
        #endif
    }()
}
