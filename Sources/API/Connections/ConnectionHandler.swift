import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Watches over one connection, between the parser and everything that thinks in requests: what is no HTTP is answered here, `100-continue` is sent,
/// and a connection that stands still is closed.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let limits: ServerLimits
    private let connections: Connections
    private var presence: ClientPresence?
    private var timer: RepeatedTask?

    /// Requests that have begun and are not answered.
    private var underWay = 0
    /// A request whose end has not come.
    private var isReading = false
    private var idleSince = NIODeadline.now()
    /// The client of the request that is being read waits for leave to send its body, and earlier answers are still to be written.
    private var owesContinue = false
    private var mustClose = false
    /// Nothing more is read as HTTP: what still comes is dropped until the client has taken its answer.
    private var isOver = false
    private var closesAt: NIODeadline?

    private var bufferedBytes = 0
    private var writesDone = 0
    private var writesDoneBefore = 0
    private var writtenSince = NIODeadline.now()

    /// How long the end of a body that nobody reads is waited for: closing at once could take the answer away from a client that still sends.
    private static let lingering = TimeAmount.seconds(3)
    private static let tick = TimeAmount.milliseconds(500)

    init(limits: ServerLimits, connections: Connections) {
        self.limits = limits
        self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard presence == nil else { return }
        presence = connections.add(ObjectIdentifier(context.channel))
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in
            let (handler, context) = bound.value
            handler.look(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end(context) }

    private func end(_ context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        presence?.leave()
        if presence != nil { connections.remove(ObjectIdentifier(context.channel)) }
        presence = nil
    }

    /// Twice a second: is anything standing still?
    private func look(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        if let closesAt, now >= closesAt { return context.close(promise: nil) }
        if underWay == 0, !isOver {
            // Where all places are taken, a second of silence is enough.
            let idle = connections.isFull ? TimeAmount.seconds(1) : TimeAmount(limits.idle)
            if now - idleSince >= idle { return context.close(promise: nil) }
        }
        let buffered = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        let stands = buffered > 0 && buffered >= bufferedBytes && writesDone == writesDoneBefore
        if !stands { writtenSince = now }
        (bufferedBytes, writesDoneBefore) = (buffered, writesDone)
        if stands, now - writtenSince >= TimeAmount(limits.writeStall) { context.close(promise: nil) }
    }

    // MARK: - What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isOver { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            underWay += 1
            isReading = true
            if head.version != .http1_1 {
                // An older client need not say whom it asks, and does not expect the connection to stay.
                if !head.headers.contains(name: "Host") { head.headers.add(name: "Host", value: "localhost") }
                if !head.isKeepAlive { mustClose = true }
            } else if head.headers[canonicalForm: "Expect"].contains(where: { $0.lowercased() == "100-continue" }) {
                // A body that is too large is better not sent at all.
                let length = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
                owesContinue = length <= limits.uploadBytes
                sendContinue(context)
            }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .end(let trailers):
            isReading = false
            context.fireChannelRead(wrapInboundOut(.end(trailers)))
        case .body(let bytes):
            owesContinue = false
            context.fireChannelRead(wrapInboundOut(.body(bytes)))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isOver { context.read() }
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            presence?.leave()
            if isOver { return context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func sendContinue(_ context: ChannelHandlerContext) {
        guard owesContinue, underWay == 1, isReading else { return }
        owesContinue = false
        context.writeAndFlush(wrapOutboundOut(.head(.init(version: .http1_1, status: .continue))), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isOver { return }
        // The answer to something else is under way, or the head was good: who reads the body learns of it.
        guard let answer = APIError(protocolError: error), underWay == 0 else { return context.fireErrorCaught(error) }
        isOver = true
        let response = answer.response()
        var headers = HTTPHeaders(response.headers)
        let body = answer.jsonBytes
        headers.replaceOrAdd(name: "Content-Length", value: String(body.readableBytes))
        headers.replaceOrAdd(name: "Connection", value: "close")
        for (name, value) in SafetyHeaders.fields { headers.replaceOrAdd(name: name.rawName, value: value) }
        context.write(
            wrapOutboundOut(.head(.init(version: .http1_1, status: .init(statusCode: answer.status.code), headers: headers))),
            promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(mode: .output, promise: nil)
        closesAt = .now() + Self.lingering
        context.read()
    }

    // MARK: - What goes

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isOver {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if head.headers[canonicalForm: "Connection"].contains(where: { $0.lowercased() == "close" }) {
                mustClose = true
            } else if mustClose || isReading {
                // The rest of a body that was not read is not worth reading.
                mustClose = true
                head.headers.replaceOrAdd(name: "Connection", value: "close")
            }
            context.write(wrapOutboundOut(.head(head)), promise: noted(context, promise))
        case .body(let bytes):
            context.write(wrapOutboundOut(.body(bytes)), promise: noted(context, promise))
        case .end(let trailers):
            underWay -= 1
            idleSince = .now()
            context.write(wrapOutboundOut(.end(trailers)), promise: noted(context, promise))
            if mustClose {
                context.flush()
                isOver = true
                context.close(mode: .output, promise: nil)
                closesAt = .now() + Self.lingering
                context.read()
            } else {
                sendContinue(context)
            }
        }
    }

    /// A promise that also tells that something has gone out.
    private func noted(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) -> EventLoopPromise<Void> {
        let promise = promise ?? context.eventLoop.makePromise()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in bound.value.writesDone += 1 }
        return promise
    }
}

/// How a connection is set up: NIO's parser, `ConnectionHandler`, and Hummingbird's way of reading and answering.
struct WatchedChannel: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: HTTPChannelHandler.Responder
    let limits: ServerLimits
    let connections: Connections

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var heads = NIOHTTPDecoderLimitConfiguration()
            (heads.maxHeaderFieldSize, heads.maxHeaderListSize, heads.maxHeaderFieldCount) = (16 << 10, 64 << 10, 200)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: heads)
            try pipeline.addHandler(ConnectionHandler(limits: limits, connections: connections))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            // Ends connections in order when the server stops.
            try pipeline.addHandler(HTTPConnectionStateHandler(logger: logger))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}

/// Takes connections as long as there is room for them.
struct RoomForConnections: AvailableConnectionsDelegate {
    let connections: Connections
    /// Those that were accepted: they count from here on, before their handlers do.
    private var open = 0

    init(_ connections: Connections) { self.connections = connections }

    mutating func connectionOpened() { open += 1 }
    mutating func connectionClosed() { open -= 1 }
    func isAcceptingNewConnections() -> Bool { open < connections.limit }
}
