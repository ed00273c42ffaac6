internal import CCurl

/// One call as libcurl works on it. Owned by the loop for exactly as long as libcurl can call back; stays on the loop's thread.
final class CurlTransfer {
    /// What the reader waits for.
    enum Need {
        case head
        /// So many bytes, or fewer once the first of them has lain for so long.
        case body(minimum: Int, patience: Duration?)
    }

    /// How the transfer ended.
    enum End {
        case complete
        case failed(UpstreamError)
    }

    let request: UpstreamRequest
    /// Nil once the transfer is over and its handle serves another one.
    private(set) var easy: UnsafeMutableRawPointer?
    /// Where the handle is, with the connections that the call may use. Goes with the handle.
    private(set) var pool: CurlMulti?
    let began = ContinuousClock.now
    /// Freed with the transfer; libcurl reads them until the handle leaves the multi handle.
    let memory: CurlMemory

    var answer: AnswerHead
    var body: AnswerBody
    private(set) var end: End?
    /// Why a callback told libcurl to stop, which libcurl itself cannot know.
    var refusal: UpstreamError.Code?
    /// When bytes of the answer came last, or the request was sent. Nil until libcurl is about to send it.
    private(set) var lastActivity: ContinuousClock.Instant?
    /// Whether a socket was opened for this call. Else its connection is one that an earlier call has left, or that
    /// others share.
    var hasOpenedSocket = false
    /// Whether a line of an answer has come, be it a 1xx's. libcurl does not tell of bytes before the first line's end.
    var hasHeard = false
    private(set) var isPaused = false
    /// Where the transfer puts itself when something has come, once a turn.
    private let changed: ChangedTransfers
    var isChanged = false
    /// The last `due` that the loop has noted.
    var noted: ContinuousClock.Instant?
    private var waiter: (need: Need, continuation: CheckedContinuation<Void, Never>)?

    /// - Parameter easy: a handle in its first state. It is asked back by `releaseHandle`.
    init(_ request: UpstreamRequest, easy: UnsafeMutableRawPointer, pool: CurlMulti, changed: ChangedTransfers) {
        self.request = request
        self.easy = easy
        self.pool = pool
        self.changed = changed
        memory = CurlMemory(request)
        answer = AnswerHead(limit: request.limits.headerBytes)
        body = AnswerBody(limit: request.limits.bodyBytes)
    }

    var requestMayHaveBeenSent: Bool { lastActivity != nil }

    /// When the peer has been silent for too long. Nil while it may not speak.
    var idleDeadline: ContinuousClock.Instant? {
        guard !isPaused, end == nil else { return nil }
        return lastActivity.map { $0 + request.timeouts.idle }
    }

    func finish(_ end: End) {
        if self.end == nil { self.end = end }
    }

    /// Ends the transfer with nothing left for its reader but the error.
    func abort(_ error: UpstreamError) {
        guard end == nil else { return }
        end = .failed(error)
        answer = AnswerHead(limit: 0)
        body = AnswerBody(limit: 0)
    }

    /// Ends what libcurl does with the handle, and gives it away, once.
    func releaseHandle() -> UnsafeMutableRawPointer? {
        guard let easy = easy.take() else { return nil }
        pool?.remove(easy)
        pool = nil
        return easy
    }

    /// Notes that bytes have come or that the request is about to go.
    func noteActivity() {
        lastActivity = .now
        guard !isChanged else { return }
        isChanged = true
        changed.transfers.append(self)
    }

    /// Makes the peer wait if more is buffered than the reader asked for. Only on a connection that this call has for itself.
    func pauseIfFull() {
        guard end == nil, !isPaused, !answer.isMultiplexed, body.isFull(for: wanted), let easy else { return }
        isPaused = curl_easy_pause(easy, CURLPAUSE_RECV) == CURLE_OK
    }

    /// The same from within libcurl's own call. Not for an encoded answer: libcurl goes on decoding what it has, and keeps it beside our own bound.
    func pauseInsteadOfReceiving() -> Bool {
        guard end == nil, !answer.isMultiplexed, !answer.isEncoded, body.isFull(for: wanted) else { return false }
        isPaused = true
        return true
    }

    func unpause() {
        guard isPaused, let easy else { return }
        isPaused = false
        noteActivity()
        // It hands over what libcurl kept meanwhile. If that is refused, libcurl says so here alone, and no longer listens to the peer.
        let code = curl_easy_pause(easy, CURLPAUSE_CONT)
        if code != CURLE_OK { finish(outcome(of: code)) }
    }

    private var wanted: Int {
        guard case .body(let minimum, _)? = waiter?.need else { return 0 }
        return minimum
    }

    /// When the reader gets what is there although it waits for more. Nil if nothing is there or no reader waits.
    var due: ContinuousClock.Instant? { waiter.flatMap { due(for: $0.need) } }

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
        }
    }

    /// Resumes `continuation` once what is needed is there. It may have come between the reader's look and its suspension: a task can be queued anew
    /// on the way to the same executor.
    func wait(for need: Need, _ continuation: CheckedContinuation<Void, Never>) {
        waiter = (need, continuation)
        wakeReader()
    }

    /// Lets the reader go on if what it waits for is there. Returns whether it does.
    @discardableResult
    func wakeReader() -> Bool {
        guard let (need, continuation) = waiter, has(need) else { return false }
        waiter = nil
        continuation.resume()
        return true
    }
}

/// The transfers for which something has come in this turn of the loop.
final class ChangedTransfers {
    var transfers: [CurlTransfer] = []
}
