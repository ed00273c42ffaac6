/// The faults that a test wants of the store, as Langfuse has them at times. None happens unless a test asks for it.
package struct Faults: Sendable {
    /// The one of Langfuse's servers that the store plays.
    package enum Mode: Sendable {
        /// One that has the older and the newer routes.
        case both
        /// Version 3: the routes under `v2` are a 404.
        case v3Only
        /// Version 4 that writes events only: the older routes are a 404.
        case v4Only
    }

    /// The route that a refusal is about.
    package enum Route: Sendable, Hashable, CaseIterable {
        case export, observations, metrics, traces, health
        /// The writing of scores, and the third API that reads them.
        case ingestion, scores
    }

    /// An answer that is given instead of the right one.
    package struct Refusal: Sendable {
        package var routes: Set<Route>
        package var status: Int
        /// Seconds. With 429 the headers and the body of Langfuse's rate limit are added.
        package var retryAfter: Int?
        /// The number of requests that it meets; nil: all.
        package var times: Int?
        /// Whether of the requests that it meets only every second one is refused, the first one first: each has to be
        /// made twice.
        package var isEverySecond: Bool

        package init(
            _ status: Int, on routes: Set<Route> = Set(Route.allCases), retryAfter: Int? = nil, times: Int? = nil,
            isEverySecond: Bool = false
        ) {
            self.isEverySecond = isEverySecond
            self.routes = routes
            self.status = status
            self.retryAfter = retryAfter
            self.times = times
        }
    }

    package var mode = Mode.both
    /// The time for which an accepted row cannot be read, by the clock that the store was given.
    package var visibilityDelay = Duration.zero
    /// The first of them that is about a request answers it.
    package var refusals: [Refusal] = []
    /// Whether a span is lost although its export is answered with 200. It is asked for each span, by its trace id.
    package var loses: (@Sendable (_ traceID: String) -> Bool)?
    /// Whether the newer routes show each row twice.
    package var duplicates = false
    /// Waits of a request before anything of it is done, and of its answer when all of it is done.
    package var waitsBefore: (@Sendable (Route) async -> Void)?
    package var waitsAfter: (@Sendable (Route) async -> Void)?

    package init() {}
}
