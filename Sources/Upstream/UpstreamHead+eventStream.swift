extension UpstreamHead {
    /// Whether the body is a stream of server-sent events.
    package var isEventStream: Bool { headers.first(named: "content-type")?.lowercased().hasPrefix("text/event-stream") ?? false }
}
