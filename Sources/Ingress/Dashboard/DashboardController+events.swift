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

    /// What a turn of a stream finds.
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
        let began = ContinuousClock.now
        let first = await turn(of: watched, isLive: false)
        let took = began.duration(to: .now)
        switch first {
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
        response.body = ResponseBody { [self, showsMore, took] writer in
            // A turn may take a while. The browser knows by then that it is heard.
            try await writer.write(ByteBuffer(bytes: EventText.comment))
            var events = PageEvents(from: first, after: took, isDue: showsMore)
            while let event = await events.next({ await turn(of: watched, isLive: true) }, watched.connection) {
                try await writer.write(ByteBuffer(bytes: event))
            }
            withExtendedLifetime(slot) {}
            try await writer.finish(nil)
        }
        return response
    }

    /// The events of one page, one after the other.
    private struct PageEvents {
        private var last: Turn
        private var isDue: Bool
        private var isOver = false
        private var refresh = Duration.seconds(1)
        /// The time that the last turn took.
        private var took: Duration
        /// The page as it was sent last.
        private var shown: [UInt8] = []

        /// - Parameter isDue: whether the first turn comes without a pause.
        init(from first: Turn, after took: Duration, isDue: Bool) {
            (last, self.took, self.isDue) = (first, took, isDue)
        }

        /// - Parameter turn: makes the page anew.
        /// - Returns: nil if the stream is to end: the page or its session has ended, the browser has gone, or the
        ///   gateway stops.
        mutating func next(_ turn: () async -> Turn, _ connection: Connection?) async -> [UInt8]? {
            if isOver { return nil }
            if case .page(let page) = last { refresh = page.refresh.map { .seconds($0) } ?? refresh }
            if !last.hasEnded {
                let rest = isDue ? .zero : LivePace.rest(refresh, after: took)
                guard await DashboardController.pause(rest, connection) else { return nil }
                isDue = false
                let began = ContinuousClock.now
                last = await turn()
                took = began.duration(to: .now)
            }
            isOver = last.hasEnded
            if isOver { return EventText.reload }
            guard case .page(let page) = last, page.body != shown else { return EventText.comment }
            shown = page.body
            return EventText.page(shown)
        }
    }

    private func turn(of watched: Watched, isLive: Bool) async -> Turn {
        do throws(GatewayError) {
            guard let visitor = try await visitor(watched.asked, watched.request) else { return .gone }
            let source = try questions(of: visitor, watched.project, watched.connection, watched.logger)
            let response = await dashboard.page(
                watched.page, of: watched.project, for: viewer(visitor), query: watched.asked.query, isLive: isLive,
                asking: source)
            guard response.status < 500, response.status != 429 else { return .failed }
            guard response.refresh != nil else { return response.status == 404 ? .gone : .still }
            return .page(response)
        } catch {
            return error.status < 500 && error.status != 429 ? .gone : .failed
        }
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
