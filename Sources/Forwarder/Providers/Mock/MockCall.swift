internal import Common
internal import Upstream

/// Plays one mock answer against a clock, within the request's time limits and size limit.
actor MockCall<C: Clock<Duration>>: UpstreamCall {
    private let answer: MockResponse
    private let idle: Duration
    private let limit: Int
    private let clock: C
    private let end: C.Instant
    private var hasHead = false
    private var nextPiece = 0
    private var sent = 0

    init(_ answer: MockResponse, request: UpstreamRequest, clock: C) {
        self.answer = answer
        self.idle = request.timeouts.idle
        self.limit = request.limits.bodyBytes
        self.clock = clock
        self.end = clock.now.advanced(by: request.timeouts.total)
    }

    func head() async throws(UpstreamError) -> UpstreamHead {
        if hasHead { return answer.head }
        if answer.failure == .connect {
            throw UpstreamError(
                .connect, "the mock refuses the connection, as the model's name asks", requestMayHaveBeenSent: false)
        }
        try await wait(answer.delay)
        hasHead = true
        return answer.head
    }

    func next(minimum: Int, patience: Duration?) async throws(UpstreamError) -> UpstreamPiece? {
        _ = try await head()
        var bytes: [UInt8] = []
        var lain = Duration.zero
        while nextPiece < answer.pieceCount, bytes.count < max(minimum, 1) {
            let piece = answer.piece(nextPiece)
            if !bytes.isEmpty {
                lain += piece.wait
                // It is known here that nothing comes in time, so there is no need to wait for it.
                if let patience, lain > patience { break }
            }
            try await wait(piece.wait)
            nextPiece += 1
            bytes += piece.bytes
        }
        sent += bytes.count
        guard sent <= limit else {
            throw UpstreamError(.tooLarge, "the answer is larger than \(limit) bytes", requestMayHaveBeenSent: true)
        }
        if !bytes.isEmpty {
            return UpstreamPiece(bytes, isRest: nextPiece == answer.pieceCount && answer.failure != .stall)
        }
        try await fail()
        return nil
    }

    private func fail() async throws(UpstreamError) {
        switch answer.failure {
        case .cut:
            throw UpstreamError(
                .closedEarly, "the mock cuts its answer, as the model's name asks", requestMayHaveBeenSent: true)
        case .stall: try await wait(.seconds(86_400))
        case .connect, nil: break
        }
    }

    /// Lets the time pass, or as much of it as the request allows.
    private func wait(_ duration: Duration) async throws(UpstreamError) {
        guard duration > .zero else { return try check() }
        let now = clock.now
        let wake = now.advanced(by: duration)
        let idleEnd = now.advanced(by: idle)
        do {
            try await clock.sleep(until: min(wake, idleEnd, end), tolerance: nil)
        } catch {
            throw Self.cancelled
        }
        if wake > end, end <= idleEnd {
            throw UpstreamError(.totalTimeout, "no end within the time of the request", requestMayHaveBeenSent: true)
        }
        if wake > idleEnd { throw UpstreamError(.idleTimeout, "no byte within \(idle)", requestMayHaveBeenSent: true) }
    }

    private func check() throws(UpstreamError) {
        if Task.isCancelled { throw Self.cancelled }
    }

    private static var cancelled: UpstreamError {
        UpstreamError(.cancelled, "the call was cancelled", requestMayHaveBeenSent: true)
    }
}
