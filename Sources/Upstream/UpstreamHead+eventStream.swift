extension UpstreamHead {
    /// Whether the body is a stream of server-sent events.
    package var isEventStream: Bool {
        let name = "text/event-stream".utf8
        guard let type = headers.first(named: "content-type")?.utf8, type.count >= name.count else { return false }
        return zip(type, name).allSatisfy { $0.asciiLowercased == $1 }
    }
}
