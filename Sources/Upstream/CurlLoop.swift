internal import CCurl

/// All upstream calls of a `CurlUpstream`, on one thread that belongs to libcurl.
///
/// Cost follows what happens: an open call that is silent costs its memory, and one look each time that the oldest silence has lasted too long.
actor CurlLoop {
    /// Handles kept for later calls.
    private static let maxIdleHandles = 1024
    /// How far apart two looks at the idle calls are at least.
    private static let idlePrecision = Duration.milliseconds(10)

    nonisolated let thread: LoopThread
    private let configuration: CurlConfiguration
    /// Nil once the loop was stopped.
    private var pools: CurlPools?
    private var transfers: [ObjectIdentifier: CurlTransfer] = [:]
    private var idleHandles: [UnsafeMutableRawPointer] = []
    private let changed = ChangedTransfers()
    /// When a call may have been silent for too long. Never later than the earliest deadline.
    private var nextIdleCheck: ContinuousClock.Instant?
    /// Readers who wait for more than is there, by when they get what is there. A short answer that comes at once is
    /// never among them.
    private var patient = DueQueue<CurlTransfer, ContinuousClock.Instant>()

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(_ configuration: CurlConfiguration) throws(UpstreamError) {
        let poll = try EventPoll()
        self.configuration = configuration
        pools = try CurlPools(configuration, poll: poll)
        thread = LoopThread(name: "upstream", wake: { poll.wake() })
    }

    nonisolated func start() {
        thread.start { mayBlock in self.assumeIsolated { $0.turn(mayBlock: mayBlock) } }
    }

    /// Fails what is in flight with `unavailable`, and waits for the end of the thread.
    nonisolated func stop() {
        thread.submit { self.assumeIsolated { $0.shutDown() } }
        thread.stop()
    }

    /// Calls that have begun and whose scope has not ended.
    var inFlight: Int { transfers.count }

    func begin(_ request: UpstreamRequest, for call: ObjectIdentifier) throws(UpstreamError) {
        // A task that is cancelled after this look sends its `cancel` after this step, and so meets the transfer.
        guard !Task.isCancelled else { throw Self.cancelled(requestMayHaveBeenSent: false) }
        try request.check()
        let pool = try pools?.pool(for: request.connections)
        guard let pool, let easy = idleHandles.popLast() ?? curl_easy_init() else {
            let why = pool == nil ? "the upstream client was stopped" : "libcurl is out of memory"
            throw UpstreamError(.unavailable, why, requestMayHaveBeenSent: false)
        }
        let transfer = CurlTransfer(request, easy: easy, pool: pool, changed: changed)
        var code = transfer.configure(configuration)
        if code == CURLE_OK, pool.add(easy) != CURLM_OK { code = CURLE_FAILED_INIT }
        guard code == CURLE_OK else {
            recycle(transfer)
            guard case .failed(let error) = transfer.outcome(of: code) else { return }
            throw error
        }
        transfers[call] = transfer
    }

    func head(of call: ObjectIdentifier) async throws(UpstreamError) -> UpstreamHead {
        let transfer = try await wait(for: .head, of: call)
        if let head = transfer.answer.head { return head }
        throw transfer.failure
    }

    /// Bytes that came before a failure are handed over first.
    func next(
        of call: ObjectIdentifier, minimum: Int, patience: Duration?
    ) async throws(UpstreamError) -> UpstreamPiece? {
        let transfer = try await wait(for: .body(minimum: minimum, patience: patience), of: call)
        if transfer.body.count > 0 {
            defer { transfer.unpause() }
            return UpstreamPiece(transfer.body.take(), isRest: transfer.end != nil)
        }
        if case .complete? = transfer.end { return nil }
        throw transfer.failure
    }

    /// Aborts the call if it has not ended. Its reader gets `cancelled`.
    func cancel(_ call: ObjectIdentifier) {
        guard let transfer = transfers[call] else { return }
        abort(transfer, Self.cancelled(requestMayHaveBeenSent: transfer.requestMayHaveBeenSent))
    }

    /// Ends the scope of a call: nothing of it remains.
    func close(_ call: ObjectIdentifier) {
        cancel(call)
        transfers[call] = nil
    }
}

extension CurlLoop {
    private static func cancelled(requestMayHaveBeenSent: Bool) -> UpstreamError {
        UpstreamError(.cancelled, "the call was cancelled", requestMayHaveBeenSent: requestMayHaveBeenSent)
    }

    private func wait(for need: CurlTransfer.Need, of call: ObjectIdentifier) async throws(UpstreamError) -> CurlTransfer {
        guard let transfer = transfers[call] else {
            throw UpstreamError(.cancelled, "the call's scope has ended", requestMayHaveBeenSent: true)
        }
        if !transfer.has(need) {
            transfer.unpause()
            await withCheckedContinuation {
                transfer.wait(for: need, $0)
                noteLying(transfer)
            }
        }
        return transfer
    }

    private func turn(mayBlock: Bool) {
        guard let pools else { return }
        let until = [nextIdleCheck, patient.earliest { $0.due == $1 }].compactMap { $0 }.min()
        pools.turn(mayBlock: mayBlock && changed.transfers.isEmpty, until: until)
        while let (easy, code) = pools.nextEnded() {
            var user: UnsafeMutableRawPointer?
            ccurl_get_pointer(easy, CURLINFO_PRIVATE, &user)
            guard let transfer = CurlTransfer.of(user) else { continue }
            transfer.finish(transfer.outcome(of: code))
            recycle(transfer)
            transfer.wakeReader()
        }
        settleChanged()
        passOnLying()
        checkIdle()
    }

    /// What came in one turn reaches its reader as one piece.
    private func settleChanged() {
        for transfer in changed.transfers {
            transfer.isChanged = false
            if !transfer.wakeReader() {
                transfer.pauseIfFull()
                noteLying(transfer)
            }
            guard let deadline = transfer.idleDeadline else { continue }
            nextIdleCheck = min(deadline, nextIdleCheck ?? deadline)
        }
        changed.transfers.removeAll(keepingCapacity: true)
    }

    private func noteLying(_ transfer: CurlTransfer) {
        guard let due = transfer.due, transfer.noted != due else { return }
        transfer.noted = due
        patient.add(transfer, due: due)
    }

    /// Gives readers what has lain for as long as they let it.
    private func passOnLying() {
        guard !patient.isEmpty else { return }
        for transfer in patient.takeDue(at: .now) { transfer.wakeReader() }
    }

    private func checkIdle() {
        let now = ContinuousClock.now
        guard let check = nextIdleCheck, check <= now else { return }
        for transfer in transfers.values {
            if let deadline = transfer.idleDeadline, deadline <= now { abort(transfer, transfer.idleError) }
        }
        nextIdleCheck = transfers.values.compactMap(\.idleDeadline).min().map { max($0, now + Self.idlePrecision) }
    }

    private func abort(_ transfer: CurlTransfer, _ error: UpstreamError) {
        transfer.abort(error)
        recycle(transfer)
        transfer.wakeReader()
    }

    /// Takes the handle away from a transfer that is over, and makes it ready for another one.
    private func recycle(_ transfer: CurlTransfer) {
        guard let easy = transfer.releaseHandle() else { return }
        guard pools != nil, idleHandles.count < Self.maxIdleHandles else { return curl_easy_cleanup(easy) }
        curl_easy_reset(easy)
        idleHandles.append(easy)
    }

    private func shutDown() {
        for transfer in transfers.values {
            abort(
                transfer,
                UpstreamError(.unavailable, "the upstream client was stopped", requestMayHaveBeenSent: transfer.requestMayHaveBeenSent))
        }
        idleHandles.forEach { curl_easy_cleanup($0) }
        idleHandles = []
        changed.transfers = []
        patient = DueQueue()
        pools = nil
    }
}
