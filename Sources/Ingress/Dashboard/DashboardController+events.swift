internal import Common
internal import Dashboard
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import ServiceLifecycle

/// Event streams of pages: a browser that has a page open is sent it again whenever it looks otherwise.
extension DashboardController {
    /// A page, and who asks for it.
    struct Watched: Sendable {
        let page: DashboardRoute.Page
        let project: String
        let asked: DashboardRequest
        let request: Request
        let connection: Connection?
        let logger: Logger
    }

    /// The finding of one turn of a stream.
    private enum Turn {
        case page(DashboardResponse)
        /// The page could not be made this time.
        case failed
        /// The page stays as it is, or shows what is wrong with its address.
        case still
        /// The session has ended, or what the page shows has gone.
        case gone

        /// Whether an open page is brought up to date no longer.
        var hasEnded: Bool {
            switch self {
            case .page, .failed: false
            case .still, .gone: true
            }
        }
    }

    /// The events of a page. The first one comes at once if it shows more than the page itself did.
    func events(of watched: Watched) async -> Response {
        guard let slot = streams.take() else { return Response(dashboard.failure(.tooManyStreams)) }
        var showsMore = false
        let first = await look(at: watched)
        switch first.turn {
        // A browser that is told so does not connect again by itself.
        case .still, .failed: return Response(DashboardResponse(status: 204).protected)
        case .page(let page): showsMore = page.showsMoreLive
        case .gone: break
        }
        let headers = [
            HeaderField("content-type", "text/event-stream"), HeaderField("cache-control", "no-store"),
            // nginx holds back what it proxies, but for this.
            HeaderField("x-accel-buffering", "no"),
        ]
        var response = Response(DashboardResponse(headers: headers).protected)
        response.body = ResponseBody { [self, showsMore] writer in
            // A turn may take a while. The browser knows by then that it is heard.
            try await writer.write(ByteBuffer(bytes: EventText.comment))
            let checks = RolloutChecks()
            var events = PageEvents(from: first, isDue: showsMore)
            while let event = await events.next({ await look(at: watched, checks) }, watched.connection) {
                try await writer.write(ByteBuffer(bytes: event))
            }
            withExtendedLifetime(slot) {}
            try await writer.finish(nil)
        }
        return response
    }

    /// A turn, and how long the gateway worked on it.
    private struct Look {
        let turn: Turn
        let work: Duration
    }

    /// The events of one page, one after the other.
    private struct PageEvents {
        private var last: Look
        private var isDue: Bool
        private var isOver = false
        private var refresh = Duration.seconds(1)
        /// The page as it was sent last.
        private var shown: [UInt8] = []

        /// - Parameter isDue: whether the first turn comes without a pause.
        init(from first: Look, isDue: Bool) { (last, self.isDue) = (first, isDue) }

        /// - Parameter look: makes the page anew.
        /// - Returns: nil if the stream is to end: the page or its session has ended, the browser has gone, or the
        ///   gateway stops.
        mutating func next(_ look: () async -> Look, _ connection: Connection?) async -> [UInt8]? {
            if isOver { return nil }
            if case .page(let page) = last.turn { refresh = page.refresh.map { .seconds($0) } ?? refresh }
            if !last.turn.hasEnded {
                let rest = isDue ? .zero : LivePace.rest(refresh, after: last.work)
                guard await DashboardController.pause(rest, connection) else { return nil }
                isDue = false
                last = await look()
            }
            isOver = last.turn.hasEnded
            if isOver { return EventText.reload }
            guard case .page(let page) = last.turn, page.body != shown else { return EventText.comment }
            shown = page.body
            return EventText.page(shown)
        }
    }

    private func look(at watched: Watched, _ checks: RolloutChecks? = nil) async -> Look {
        let began = ContinuousClock.now
        do throws(GatewayError) {
            guard let visitor = try await visitor(watched.asked, watched.request) else {
                return Look(turn: .gone, work: .zero)
            }
            let source = try questions(
                of: visitor, project: watched.project, connection: watched.connection, logger: watched.logger)
            let turn = await turn(of: watched, for: visitor, checks, asking: source)
            return Look(turn: turn, work: began.duration(to: .now) - source.waitedForVerdicts)
        } catch {
            let isOver = error.status < 500 && error.status != 429
            return Look(turn: isOver ? .gone : .failed, work: began.duration(to: .now))
        }
    }

    private func turn(
        of watched: Watched, for visitor: Visitor, _ checks: RolloutChecks?, asking source: DashboardQuestions
    ) async -> Turn {
        let response = await dashboard.page(
            watched.page, of: watched.project, for: viewer(visitor), query: watched.asked.query, checks: checks,
            asking: source)
        guard response.status < 500, response.status != 429 else { return .failed }
        guard response.refresh != nil else { return response.status == 404 ? .gone : .still }
        return .page(response)
    }

    /// - Returns: false if the gateway stops, or the browser has gone.
    fileprivate static func pause(_ time: Duration, _ connection: Connection?) async -> Bool {
        await cancelWhenGracefulShutdown {
            // allowed: the pause waits for it, and ends it with its own task and with the connection
            let rest = Task { (try? await Task.sleep(for: time)) != nil }
            return await withTaskCancellationHandler {
                guard connection?.watch({ _ in rest.cancel() }) ?? true else {
                    rest.cancel()
                    return false
                }
                defer { connection?.unwatch() }
                return await rest.value
            } onCancel: {
                rest.cancel()
            }
        }
    }
}

extension GatewayError {
    fileprivate static let tooManyStreams = GatewayError(
        status: 503, type: "server_error", code: "dashboard_streams",
        message: "As many pages are brought up to date as may be (DASHBOARD_STREAMS). This one stays as it is until it "
            + "is loaded again.", retryAfter: 15)
}
