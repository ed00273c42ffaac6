package import NIOCore

/// Makes HTTP calls to providers. `CurlUpstream` is the real one; `MockUpstream` answers `mock/…` models without a
/// network.
package protocol UpstreamClient: Sendable {
    /// Makes one call and lends it to `body`. When `body` returns or throws, or the task is cancelled, a call that has
    /// not ended is aborted and nothing of it remains.
    func withCall<Result: Sendable>(
        _ request: UpstreamRequest, _ body: (any UpstreamCall) async throws -> Result
    ) async throws -> Result

    /// Starts one call, whose events `receiver` gets on the event loop as they come, without a task.
    ///
    /// The bytes of one turn of the client come as one piece, and all of a short answer at once. A piece is passed on
    /// once the receiver's minimum for this head is there. It is passed on earlier if its first byte has lain for
    /// `patience` (nil: never for that reason), or if the body has ended. A receiver that is slower than the peer makes
    /// it wait, by `pause` or by not yet having taken what came: a fixed amount is buffered.
    /// - Returns: the call. It need not be kept: the call goes on without it.
    func start(
        _ request: UpstreamRequest, patience: Duration?, on eventLoop: any EventLoop, to receiver: any UpstreamReceiver
    ) -> any UpstreamTransfer
}

/// One call in flight. Its methods are called by one task, one after the other.
package protocol UpstreamCall: Sendable {
    /// Waits for the head of the final answer (never a 1xx).
    func head() async throws(UpstreamError) -> UpstreamHead

    /// The bytes of the body that have come since the last call, content encoding undone; nil once the body has ended
    /// well.
    ///
    /// Waits until at least `minimum` bytes are there, the first of them has lain for `patience`, or the body has
    /// ended. The bytes of one turn of the loop come as one piece. A reader that does not ask makes the peer wait: at
    /// most a fixed amount is buffered for it.
    /// - Parameter patience: nil: however long they have lain.
    func next(minimum: Int, patience: Duration?) async throws(UpstreamError) -> UpstreamPiece?
}

extension UpstreamCall {
    /// The same for a reader that can do nothing with fewer bytes.
    package func next(minimum: Int) async throws(UpstreamError) -> [UInt8]? {
        try await next(minimum: minimum, patience: nil)?.bytes
    }
}

/// Bytes of an answer's body.
package struct UpstreamPiece: Sendable, Equatable {
    package var bytes: [UInt8]
    /// Whether the call had ended when they were taken: there are no more, and asking for the next piece says how it
    /// ended.
    package var isRest: Bool

    package init(_ bytes: [UInt8], isRest: Bool) {
        self.bytes = bytes
        self.isRest = isRest
    }
}

/// A request to a provider.
package struct UpstreamRequest: Sendable {
    package var method: String
    /// Absolute `http` or `https` URL, percent-encoded, visible ASCII only, without user information or fragment.
    package var url: String
    package var headers: [HeaderField]
    package var body: [UInt8]
    package var timeouts: UpstreamTimeouts
    package var limits: UpstreamLimits
    package var addresses: AddressPolicy
    package var connections: ConnectionUse

    package init(
        method: String, url: String, headers: [HeaderField] = [], body: [UInt8] = [],
        timeouts: UpstreamTimeouts = .init(),
        limits: UpstreamLimits = .init(), addresses: AddressPolicy = .operatorChosen,
        connections: ConnectionUse = .init()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
        self.limits = limits
        self.addresses = addresses
        self.connections = connections
    }
}

/// The time that a call may take in each of its phases.
package struct UpstreamTimeouts: Sendable, Equatable {
    /// Until the connection stands, TLS included.
    package var connect: Duration
    /// Between two bytes of the answer, and from the request to the first of them.
    package var idle: Duration
    /// From beginning to end.
    package var total: Duration

    package init(connect: Duration = .seconds(10), idle: Duration = .seconds(300), total: Duration = .seconds(300)) {
        self.connect = connect
        self.idle = idle
        self.total = total
    }
}

/// The most of an answer that is taken. Beyond it the call fails with `tooLarge`.
package struct UpstreamLimits: Sendable, Equatable {
    /// Bytes of the body after its content encoding is undone, so a compressed bomb is bounded too.
    package var bodyBytes: Int
    /// Bytes of all header lines together.
    package var headerBytes: Int

    package init(bodyBytes: Int = 64 << 20, headerBytes: Int = 64 << 10) {
        self.bodyBytes = bodyBytes
        self.headerBytes = headerBytes
    }
}

/// The kept connections that a call may use.
package struct ConnectionUse: Sendable, Equatable {
    /// A connection is used again if it has been idle for less than so many seconds. 0: the call opens one of its own,
    /// and closes it.
    ///
    /// The default is below the 5 s after which common servers close (uvicorn, Node): what is sent into a connection
    /// that just closes is lost.
    package var idleSeconds: Int
    /// Whether the call opens a connection of its own. Later ones may use it.
    package var mustBeFresh: Bool

    package init(idleSeconds: Int = 4, mustBeFresh: Bool = false) {
        self.idleSeconds = idleSeconds
        self.mustBeFresh = mustBeFresh
    }
}

/// The addresses to which a call may connect, checked on the address itself when the socket is opened.
package enum AddressPolicy: Sendable, Equatable {
    /// The operator wrote the URL: any address.
    case operatorChosen
    /// The client chose the URL: never link-local, metadata services, unspecified, multicast or reserved addresses; the
    /// others as allowed here.
    case clientChosen(allowLoopback: Bool, allowPrivate: Bool)
}

/// The status line and headers of an answer.
package struct UpstreamHead: Sendable, Equatable {
    package var status: Int
    package var headers: [HeaderField]

    package init(status: Int, headers: [HeaderField] = []) {
        self.status = status
        self.headers = headers
    }
}
