internal import Common
internal import HTTPServing
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// The web pages that may read the gateway's answers in a browser.
struct CrossOrigins: Sendable {
    let allowed: AllowedOrigins
    /// Whether pages of this machine may too: where clients need no key.
    let includesLoopback: Bool

    func allows(_ origin: String) -> Bool { allowed.allows(origin, orLoopback: includesLoopback) }
}

/// Tells browsers that the pages which are let in may read the answers (CORS, https://fetch.spec.whatwg.org). All
/// answers of a connection pass here, whichever part of the gateway gives them.
final class CrossOriginHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let origins: CrossOrigins
    /// The origins of the requests that are not answered, oldest first; nil for a request that is not from an allowed
    /// page.
    private var pending = CircularBuffer<String?>()

    init(_ origins: CrossOrigins) { self.origins = origins }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) {
            let origin = head.headerFields[.origin]
            pending.append(origin.flatMap { origins.allows($0) ? $0 : nil })
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            guard head.status.kind != .informational, let origin = pending.first ?? nil else { break }
            head.headerFields[.accessControlAllowOrigin] = origin
            head.headerFields[.accessControlExposeHeaders] = head.exposedNames
            head.headerFields.append(HTTPField(name: .vary, value: "Origin"))
            return context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end: if !pending.isEmpty { pending.removeFirst() }
        case .body: break
        }
        context.write(data, promise: promise)
    }
}

extension HTTPResponse {
    /// The names of its fields: `*` would not stand for `Authorization`, and not for requests with credentials.
    fileprivate var exposedNames: String {
        var names: [String] = []
        for field in headerFields where !names.contains(field.name.canonicalName) {
            names.append(field.name.canonicalName)
        }
        return names.joined(separator: ", ")
    }
}

extension HTTPField.Name {
    static let accessControlRequestPrivateNetwork = HTTPField.Name(constant: "Access-Control-Request-Private-Network")
    static let accessControlAllowPrivateNetwork = HTTPField.Name(constant: "Access-Control-Allow-Private-Network")
}
