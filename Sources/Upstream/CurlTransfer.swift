internal import CCurl

/// One call as libcurl works on it. Owned by the loop for exactly as long as libcurl can call back; stays on the loop's
/// thread.
final class CurlTransfer {
    /// The part for which the reader waits.
    enum Need {
        case head
        /// So many bytes, or fewer once the first of them has lain for so long.
        case body(minimum: Int, patience: Duration?)
        /// The end alone, behind all bytes.
        case end
    }

    /// The reader of the answer.
    enum Reader {
        /// A task that asks each time, and is resumed once what it needs is there. Nil while it does not wait.
        case task(CheckedContinuation<Void, Never>?)
        /// A receiver that gets all of it, one thing after the other.
        case receiver(CurlPushedCall)
    }

    /// The outcome of the transfer.
    enum End {
        case complete
        case failed(UpstreamError)

        var error: UpstreamError? { if case .failed(let error) = self { error } else { nil } }
    }

    /// The request, without its body.
    let request: UpstreamRequest
    /// Nil once the transfer is over and its handle serves another one.
    private(set) var handle: CurlHandle?
    /// The pool that has the handle, with the connections that the call may use. Goes with the handle.
    private(set) var pool: CurlMulti?
    let began = ContinuousClock.now
    /// Freed with the transfer; libcurl reads them until the handle leaves the multi handle.
    let memory: CurlMemory

    var answer: HeadParser
    var body: BodyBuffer
    /// Undoes the body's codings; nil until it has begun, or where it has none.
    var decoder: ContentDecoder?
    private(set) var end: End?
    /// The reason why a callback told libcurl to stop, which libcurl itself cannot know.
    var refusal: UpstreamError.Code?
    /// The time at which bytes of the answer came last, or the request was sent. Nil until libcurl is about to send it.
    private(set) var lastActivity: ContinuousClock.Instant?
    /// Whether a socket was opened for this call. Else its connection is one that an earlier call has left, or that
    /// others share.
    var hasOpenedSocket = false
    /// Whether a line of an answer has come, be it a 1xx's. libcurl does not tell of bytes before the first line's end.
    var hasHeard = false
    private(set) var isPaused = false
    /// The list in which the transfer puts itself when something has come, once a turn.
    private let changed: ChangedTransfers
    var isChanged = false
    /// The last `due` that the loop has noted.
    var noted: ContinuousClock.Instant?
    var reader: Reader
    /// Nil while the reader waits for nothing.
    var need: Need?
    /// The state of a receiver; a task needs none.
    var push = PushState()

    /// - Parameter handle: one of the request's kind. It is asked back by `releaseHandle`.
    init(_ request: UpstreamRequest, handle: CurlHandle, pool: CurlMulti, reader: Reader, changed: ChangedTransfers) {
        memory = CurlMemory(request)
        var request = request
        request.body = []
        self.request = request
        self.handle = handle
        self.pool = pool
        self.reader = reader
        if case .receiver = reader { need = .head }
        self.changed = changed
        answer = HeadParser(limit: request.limits.headerBytes)
        body = BodyBuffer(limit: request.limits.bodyBytes)
    }

    var requestMayHaveBeenSent: Bool { lastActivity != nil }

    /// The time at which the peer has been silent for too long. Nil while it may not speak.
    var idleDeadline: ContinuousClock.Instant? {
        guard !isPaused, end == nil else { return nil }
        return lastActivity.map { $0 + request.timeouts.idle }
    }

    func finish(_ end: End) {
        guard self.end == nil else { return }
        self.end = endBody() ? end : .failed(error(.tooLarge, words(for: .tooLarge)))
    }

    /// Ends the transfer with nothing left for its reader but the error.
    func abort(_ error: UpstreamError) {
        guard end == nil else { return }
        end = .failed(error)
        answer = HeadParser(limit: 0)
        body = BodyBuffer(limit: 0)
        decoder = nil
    }

    /// Ends what libcurl does with the handle, and gives it away, once.
    func releaseHandle() -> CurlHandle? {
        guard let handle = handle.take() else { return nil }
        pool?.remove(handle.easy)
        pool = nil
        return handle
    }

    /// Notes that bytes have come or that the request is about to go.
    func noteActivity() {
        lastActivity = .now
        guard !isChanged else { return }
        isChanged = true
        changed.transfers.append(self)
    }
}

extension CurlTransfer {
    /// Makes the peer wait if more is buffered than the reader asked for. Only on a connection that this call has for
    /// itself.
    func pauseIfFull() {
        guard end == nil, !isPaused, !answer.isMultiplexed, body.isFull(for: wanted), let handle else { return }
        isPaused = curl_easy_pause(handle.easy, CURLPAUSE_RECV) == CURLE_OK
    }

    /// The same from within libcurl's own call.
    func pauseInsteadOfReceiving() -> Bool {
        guard end == nil, !answer.isMultiplexed, body.isFull(for: wanted) else { return false }
        isPaused = true
        return true
    }

    func unpause() {
        guard isPaused, let handle else { return }
        isPaused = false
        noteActivity()
        // It hands over what libcurl kept meanwhile. If that is refused, libcurl says so here alone, and no longer
        // listens to the peer.
        let code = curl_easy_pause(handle.easy, CURLPAUSE_CONT)
        if code != CURLE_OK { finish(outcome(of: code)) }
    }

    private var wanted: Int {
        guard case .body(let minimum, _)? = need else { return 0 }
        return minimum
    }

    /// The time at which the reader gets fewer bytes than it waits for. Nil if there are none, or no reader waits.
    var due: ContinuousClock.Instant? { need.flatMap { due(for: $0) } }

    private func due(for need: Need) -> ContinuousClock.Instant? {
        guard end == nil, let since = body.since, case .body(_, let patience?) = need else { return nil }
        return since + patience
    }

    /// Whether the reader need not wait.
    func has(_ need: Need) -> Bool {
        switch need {
        case .head: answer.head != nil || end != nil
        case .body(let minimum, _):
            body.count >= max(1, minimum) || end != nil || due(for: need).map { $0 <= .now } ?? false
        case .end: end != nil && body.count == 0
        }
    }
}

/// The transfers for which something has come in this turn of the loop.
final class ChangedTransfers {
    var transfers: [CurlTransfer] = []
}
