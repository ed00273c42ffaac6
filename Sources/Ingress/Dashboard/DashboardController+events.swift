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
    }

    /// The events of a page. The first one comes at once only if it shows more than the page itself did.
    func events(of watched: Watched) async -> Response {
        let first = await turn(of: watched)
        switch first {
        // A browser that is told so does not connect again by itself.
        case .still, .failed: return Response(DashboardResponse(status: 204).protected)
        case .page, .gone: break
        }
        guard let slot = streams.take() else { return Response(dashboard.failure(.tooManyStreams)) }
        let headers = [
            HeaderField("content-type", "text/event-stream"), HeaderField("cache-control", "no-store"),
            // nginx holds back what it proxies, but for this.
            HeaderField("x-accel-buffering", "no"),
        ]
        var response = Response(DashboardResponse(headers: headers).protected)
        response.body = ResponseBody { [self] writer in
            var (next, seconds, shown) = (first, 1, [UInt8]())
            var isFirst = true
            while true {
                var event = EventText.comment
                switch next {
                case .page(let page):
                    seconds = page.refresh ?? seconds
                    if isFirst, !page.showsMoreLive { break }
                    if page.body != shown { (event, shown) = (EventText.page(page.body), page.body) }
                case .failed: break
                case .still, .gone: event = EventText.reload
                }
                try await writer.write(ByteBuffer(bytes: event))
                if event == EventText.reload { break }
                guard await Self.pause(seconds) else { break }
                isFirst = false
                next = await turn(of: watched)
            }
            withExtendedLifetime(slot) {}
            try await writer.finish(nil)
        }
        return response
    }

    private func turn(of watched: Watched) async -> Turn {
        do throws(GatewayError) {
            guard let visitor = try await visitor(watched.asked, watched.request) else { return .gone }
            let source = try questions(of: visitor, watched.project, watched.connection, watched.logger)
            let response = await dashboard.page(
                watched.page, of: watched.project, for: viewer(visitor), query: watched.asked.query, isLive: true,
                asking: source)
            guard response.status < 500, response.status != 429 else { return .failed }
            guard response.refresh != nil else { return response.status == 404 ? .gone : .still }
            return .page(response)
        } catch {
            return error.status < 500 && error.status != 429 ? .gone : .failed
        }
    }

    /// - Returns: false if the gateway stops, or the browser has gone.
    private static func pause(_ seconds: Int) async -> Bool {
        await cancelWhenGracefulShutdown { (try? await Task.sleep(for: .seconds(seconds))) != nil }
    }
}

extension GatewayError {
    fileprivate static let tooManyStreams = GatewayError(
        status: 503, type: "server_error", code: "dashboard_streams",
        message: "As many pages are brought up to date as may be (DASHBOARD_STREAMS). This one stays as it is until it "
            + "is loaded again.", retryAfter: 15)
}
