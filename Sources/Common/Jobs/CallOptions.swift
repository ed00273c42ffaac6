/// A client's wishes for the calls that are made for its request, in headers of TrueFoundry's.
package struct CallOptions: Sendable, Equatable {
    /// `x-tfy-retry-config`, for targets of which no rule says how often they are called; nil: it asks for none.
    package var retry: Route.Retry?
    /// `x-tfy-request-timeout`: what each call may take, in milliseconds; nil: what is left of the request's time.
    package var timeout: Int?
    /// `x-tfy-ttft-timeout-ms`: from a stream's call to its first content, in milliseconds; nil: no bound of its own.
    package var firstTokenTimeout: Int?

    package init(retry: Route.Retry? = nil, timeout: Int? = nil, firstTokenTimeout: Int? = nil) {
        self.retry = retry
        self.timeout = timeout
        self.firstTokenTimeout = firstTokenTimeout
    }

    package var isEmpty: Bool { self == CallOptions() }
}
