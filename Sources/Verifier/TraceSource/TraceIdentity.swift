internal import Common

/// The way in which a row of the trace store tells the completion to which it belongs.
package enum TraceIdentity: Sendable, Equatable {
    /// The trace's id is the insertion id: spans that the gateway itself exports.
    case traceID
    /// A tag `insertion_id:…` says it: spans of a LiteLLM proxy, whose trace ids are random. What the gateway exports
    /// has the tag too.
    case tag

    /// The most ids of one look-up. A GET's first line must stay within 8 KiB, the limit of an nginx that was left as
    /// it comes. Langfuse's own limit is 16 KiB, of the whole head. An encoded trace id takes 41 bytes of the line, a
    /// tag 60.
    package var mostIDs: Int {
        switch self {
        case .traceID: 150
        case .tag: 100
        }
    }

    /// The most by which the beginning of a span may differ from the time of its id. It is little if the gateway made
    /// the span. A proxy's span begins when the proxy got the call, by the proxy's clock.
    func margin(requestTimeout: Duration) -> Duration {
        switch self {
        case .traceID: .seconds(1)
        case .tag: requestTimeout
        }
    }

    /// The completions that a row belongs to.
    func ids(traceID: String, tags: [String]) -> [InsertionID] {
        switch self {
        case .traceID: InsertionID(hex: traceID.utf8).map { [$0] } ?? []
        case .tag:
            tags.compactMap { $0.hasPrefix("insertion_id:") ? InsertionID($0.dropFirst("insertion_id:".count)) : nil }
        }
    }
}
