internal import CCurl
internal import NIOConcurrencyHelpers

/// All upstream calls of a `CurlUpstream`, on one thread that belongs to libcurl.
///
/// Cost follows what happens: an open call that is silent costs its memory, and one look each time that the oldest
/// silence has lasted too long.
actor CurlLoop {
    /// Handles kept for later calls.
    private static let maxIdleHandles = 1024
    /// The least time between two looks at the idle calls.
    private static let idlePrecision = Duration.milliseconds(10)

    nonisolated let thread: LoopThread
    private let configuration: CurlConfiguration
    private let sockets: SocketRegistry
    /// Nil once the loop was stopped.
    private var pools: CurlPools?
    private var transfers: [ObjectIdentifier: CurlTransfer] = [:]
    private var handles = CurlHandles(capacity: maxIdleHandles)
    private let changed = ChangedTransfers()
    /// The time at which a call may have been silent for too long. Never later than the earliest deadline.
    private var nextIdleCheck: ContinuousClock.Instant?
    /// Readers who wait for more bytes than are there, by the time at which they get fewer. The reader of a short
    /// answer that comes at once is never among them.
    private var patient = DueQueue<CurlTransfer, ContinuousClock.Instant>()
    /// Orders that came since the loop has looked. Those of a moment are one item of the thread's.
    private nonisolated let orders = NIOLockedValueBox<[CurlOrder]>([])
    private var outbox = CurlOutbox()

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(_ configuration: CurlConfiguration) throws(UpstreamError) {
        let poll = try EventPoll()
        self.configuration = configuration
        sockets = SocketRegistry(poll)
        pools = try CurlPools(configuration, sockets: sockets)
        thread = LoopThread(name: "upstream", wake: { poll.wake() })
    }

    nonisolated func start() {
        thread.start { mayBlock in self.assumeIsolated { $0.turn(mayBlock: mayBlock) } }
    }

    /// Fails the calls in flight with `unavailable`, and waits for the end of the thread.
    nonisolated func stop() {
        thread.submit { self.assumeIsolated { $0.shutDown() } }
        thread.stop()
    }

    /// Has an order carried out, in turn with the others. From any thread.
    nonisolated func give(_ order: CurlOrder) {
        let isFirst = orders.withLockedValue { orders in
            orders.append(order)
            return orders.count == 1
        }
        if isFirst { thread.submit { self.assumeIsolated { $0.carryOutOrders() } } }
    }

    /// Calls that have begun and whose scope or events have not ended.
    var inFlight: Int { transfers.count }

    /// Begins a call of a task's.
    func begin(_ request: UpstreamRequest, for call: ObjectIdentifier) throws(UpstreamError) {
        // A task that is cancelled after this look sends its `cancel` after this step, and so meets the transfer.
        guard !Task.isCancelled else { throw Self.cancelled(requestMayHaveBeenSent: false) }
        try begin(request, for: call, reader: .task(nil))
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

    private static func cancelled(requestMayHaveBeenSent: Bool) -> UpstreamError {
        UpstreamError(.cancelled, "the call was cancelled", requestMayHaveBeenSent: requestMayHaveBeenSent)
    }

    private func wait(
        for need: CurlTransfer.Need, of call: ObjectIdentifier
    ) async throws(UpstreamError) -> CurlTransfer {
        guard let transfer = transfers[call] else {
            throw UpstreamError(.cancelled, "the call's scope has ended", requestMayHaveBeenSent: true)
        }
        if !transfer.has(need) {
            transfer.unpause()
            await withCheckedContinuation {
                (transfer.need, transfer.reader) = (need, .task($0))
                // It may have come between the look and the suspension: a task can be queued anew on the way to the
                // same executor.
                serve(transfer)
                noteLying(transfer)
            }
        }
        return transfer
    }
}

extension CurlLoop {
    private func carryOutOrders() {
        let orders = orders.withLockedValue { orders in
            defer { orders = [] }
            return orders
        }
        for order in orders { carryOut(order) }
        // What was started goes out without another look at the sockets.
        pools?.actOnTime()
        settle()
        outbox.flush()
    }

    private func carryOut(_ order: CurlOrder) {
        switch order {
        case .start(let call, let request):
            do throws(UpstreamError) {
                try begin(request, for: call.id, reader: .receiver(call))
            } catch {
                outbox.add(.end(error), for: call)
            }
        case .cancel(let call):
            transfers[call.id]?.need = nil
            close(call.id)
        case .pause(let call): hold(call) { $0.insert(.paused) }
        case .resume(let call): hold(call) { $0.remove(.paused) }
        case .catchUp(let call): hold(call) { $0.remove(.behind) }
        }
    }

    private func hold(_ call: CurlPushedCall, _ change: (inout CurlTransfer.PushState.Holds) -> Void) {
        guard let transfer = transfers[call.id] else { return }
        change(&transfer.push.holds)
        transfer.updateNeed(patience: call.patience)
        if !serve(transfer), transfer.push.holds.isEmpty { transfer.unpause() }
        noteLying(transfer)
    }

    private func begin(
        _ request: UpstreamRequest, for call: ObjectIdentifier, reader: CurlTransfer.Reader
    ) throws(UpstreamError) {
        try request.check()
        guard let pool = try pools?.pool(for: request.connections) else {
            throw UpstreamError(.unavailable, "the upstream client was stopped", requestMayHaveBeenSent: false)
        }
        let kind = CurlHandle.Kind(request)
        let handle = try handles.take(kind) { () throws(UpstreamError) in
            try CurlHandle(kind, configuration, sockets: sockets)
        }
        let transfer = CurlTransfer(request, handle: handle, pool: pool, reader: reader, changed: changed)
        var code = handle.begin(transfer, resolver: configuration.resolver)
        if code == CURLE_OK, pool.add(handle.easy) != CURLM_OK { code = CURLE_FAILED_INIT }
        guard code == CURLE_OK else {
            transfer.finish(transfer.outcome(of: code))
            recycle(transfer)
            throw transfer.failure
        }
        transfers[call] = transfer
    }
}

extension CurlLoop {
    private func turn(mayBlock: Bool) {
        guard let pools else { return }
        var until = nextIdleCheck
        if let due = patient.earliest({ $0.due == $1 }) { until = min(due, until ?? due) }
        pools.turn(mayBlock: mayBlock && changed.transfers.isEmpty, until: until)
        settle()
        passOnLying()
        checkIdle()
        outbox.flush()
    }

    /// Passes on the outcome of libcurl's work.
    private func settle() {
        while let (transfer, code) = pools?.nextEnded() {
            transfer.finish(transfer.outcome(of: code))
            recycle(transfer)
            serve(transfer)
        }
        settleChanged()
    }

    /// Hands on the bytes of one turn, as one piece to each reader. Bytes that come meanwhile are the next turn's.
    private func settleChanged() {
        let transfers = changed.transfers
        changed.transfers = []
        for transfer in transfers {
            transfer.isChanged = false
            if !serve(transfer) || transfer.need != nil {
                transfer.pauseIfFull()
                noteLying(transfer)
            }
            guard let deadline = transfer.idleDeadline else { continue }
            nextIdleCheck = min(deadline, nextIdleCheck ?? deadline)
        }
    }

    /// Gives the reader the part that it waits for, if it is there. Returns whether it is.
    @discardableResult
    private func serve(_ transfer: CurlTransfer) -> Bool {
        guard let need = transfer.need, transfer.has(need) else { return false }
        switch transfer.reader {
        case .task(let continuation):
            (transfer.need, transfer.reader) = (nil, .task(nil))
            continuation?.resume()
        case .receiver(let call):
            if transfer.pass(to: call, through: &outbox) {
                transfer.need = nil
                recycle(transfer)
                transfers[call.id] = nil
            } else if transfer.push.holds.isEmpty {
                transfer.unpause()
            }
        }
        return true
    }

    private func noteLying(_ transfer: CurlTransfer) {
        guard let due = transfer.due, transfer.noted != due else { return }
        transfer.noted = due
        patient.add(transfer, due: due)
    }

    /// Gives readers the bytes that have lain for as long as they let them.
    private func passOnLying() {
        guard !patient.isEmpty else { return }
        for transfer in patient.takeDue(at: .now) { serve(transfer) }
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
        serve(transfer)
    }

    /// Takes the handle away from a transfer that is over. It serves another one only if this one went well: after a
    /// failure it is not known how far libcurl got.
    private func recycle(_ transfer: CurlTransfer) {
        guard let handle = transfer.releaseHandle(), handle.end(), pools != nil else { return }
        if case .complete? = transfer.end { handles.put(handle) }
    }

    private func shutDown() {
        for transfer in transfers.values {
            abort(
                transfer,
                UpstreamError(
                    .unavailable, "the upstream client was stopped",
                    requestMayHaveBeenSent: transfer.requestMayHaveBeenSent))
        }
        outbox.flush()
        handles = CurlHandles(capacity: 0)
        changed.transfers = []
        patient = DueQueue()
        pools = nil
    }
}

extension CurlTransfer {
    /// The progress of a receiver with its call.
    struct PushState {
        /// The reasons why no pieces are passed on.
        struct Holds: OptionSet {
            let rawValue: UInt8
            /// The receiver wants none.
            static let paused = Self(rawValue: 1)
            /// Too much is underway to its event loop.
            static let behind = Self(rawValue: 2)
        }

        var holds: Holds = []
        /// Bytes that are worth a piece. Nil until the head was passed on.
        var minimum: Int?
    }

    /// Sets the need of the receiver anew.
    func updateNeed(patience: Duration?) {
        need =
            if let minimum = push.minimum {
                push.holds.isEmpty ? .body(minimum: minimum, patience: patience) : .end
            } else {
                .head
            }
    }

    /// Passes on the events that the receiver gets now. Returns whether the end was among them.
    func pass(to call: CurlPushedCall, through outbox: inout CurlOutbox) -> Bool {
        if push.minimum == nil, let head = answer.head {
            outbox.add(.head(head), for: call)
            push.minimum = call.minimum(for: head)
            updateNeed(patience: call.patience)
        }
        if case .body? = need, let need, has(need), body.count > 0 {
            let piece = UpstreamPiece(body.take(), isRest: end != nil)
            outbox.add(.piece(piece), for: call)
            if !call.noteSent(piece.bytes.count) { push.holds.insert(.behind) }
            updateNeed(patience: call.patience)
        }
        guard let end, body.count == 0 else { return false }
        outbox.add(.end(end.error), for: call)
        return true
    }
}
