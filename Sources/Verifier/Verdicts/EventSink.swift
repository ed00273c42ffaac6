internal import Common
internal import NIOConcurrencyHelpers
internal import Queue
internal import Upstream

/// Knows whether an answer has begun: an error can no longer become an answer of its own then.
final class EventSink: ResponseSink {
    private struct State {
        var hasBegun = false
        var last: Verdict?
        var failure: (any Error)?
    }

    private let sink: any ResponseSink
    private let state = NIOLockedValueBox(State())

    init(_ sink: any ResponseSink) { self.sink = sink }

    var hasBegun: Bool { state.withLockedValue { $0.hasBegun } }

    func begin(_ head: UpstreamHead) async throws {
        state.withLockedValue { $0.hasBegun = true }
        try await sink.begin(head)
    }

    func write(_ bytes: [UInt8]) async throws { try await sink.write(bytes) }

    /// Sends what is known as an event, unless nothing has changed since the last one. A failure is told by `event`.
    func tell(_ verdict: Verdict) async {
        let isNews = state.withLockedValue { state in
            var same = state.last
            same?.checkedAt = verdict.checkedAt
            guard state.failure == nil, same != verdict else { return false }
            state.last = verdict
            return true
        }
        guard isNews else { return }
        do { try await event("progress", verdict) } catch { state.withLockedValue { $0.failure = error } }
    }

    func event(_ name: String, _ verdict: Verdict) async throws {
        if let failure = state.withLockedValue({ $0.failure }) { throw failure }
        if !hasBegun {
            let headers = [HeaderField("content-type", "text/event-stream"), HeaderField("cache-control", "no-cache")]
            try await begin(UpstreamHead(status: 200, headers: headers))
        }
        try await write(Array("event: \(name)\ndata: ".utf8) + verdict.json + Array("\n\n".utf8))
    }
}
