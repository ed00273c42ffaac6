import Common
import NIOConcurrencyHelpers
import TestSupport
import Upstream

/// A provider whose every step the test makes. Each call waits for its steps, and ends like the real one when its task
/// is cancelled.
final class ScriptedUpstream: UpstreamClient {
    private let (calls, arrivals) = AsyncStream<ScriptedCall>.makeStream()
    private let made = Counter()

    /// How many calls were made.
    var count: Int { made.value }

    /// The next call that a forwarder makes.
    func next() async -> ScriptedCall? {
        var iterator = calls.makeAsyncIterator()
        return await iterator.next()
    }

    func withCall<Result: Sendable>(
        _ request: UpstreamRequest, _ body: (any UpstreamCall) async throws -> Result
    ) async throws -> Result {
        let call = ScriptedCall(request)
        made.add()
        arrivals.yield(call)
        defer { call.leave() }
        return try await body(call)
    }
}

/// One call, played by the test.
final class ScriptedCall: UpstreamCall {
    private enum Step: Sendable {
        case head(UpstreamHead)
        case bytes([UInt8])
        case lain
        case end
        case fail(UpstreamError)
    }

    /// The body of a completion that succeeded.
    static let completion =
        #"{"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}"#

    /// The end of a stream that succeeded.
    static let lastEvents =
        #"data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}"# + "\n\ndata: [DONE]\n\n"

    let request: UpstreamRequest
    private let (steps, script) = AsyncStream<Step>.makeStream()
    private let (departures, departure) = AsyncStream<Void>.makeStream()

    init(_ request: UpstreamRequest) { self.request = request }

    // What the test does.

    @discardableResult
    func answer(_ status: Int = 200, type: String = "application/json", _ headers: [HeaderField] = []) -> Self {
        script.yield(.head(UpstreamHead(status: status, headers: [HeaderField("content-type", type)] + headers)))
        return self
    }

    @discardableResult
    func send(_ text: String) -> Self {
        script.yield(.bytes(Array(text.utf8)))
        return self
    }

    /// Lets as much time pass as the forwarder lets bytes lie.
    @discardableResult
    func pause() -> Self {
        script.yield(.lain)
        return self
    }

    func end() { script.yield(.end) }

    func fail(_ code: UpstreamError.Code, sent: Bool) {
        script.yield(.fail(UpstreamError(code, "scripted", requestMayHaveBeenSent: sent)))
    }

    /// The connection, which was there before the call, closes without a byte.
    func closeKeptConnection() {
        var error = UpstreamError(.closedEarly, "scripted", requestMayHaveBeenSent: true)
        error.keptConnectionClosed = true
        script.yield(.fail(error))
    }

    /// Waits until the forwarder has let go of the call, however it ended.
    func isLeft() async { for await _ in departures {} }

    // What the forwarder does.

    fileprivate func leave() { departure.finish() }

    func head() async throws(UpstreamError) -> UpstreamHead {
        guard case .head(let head) = try await step() else { throw Self.outOfOrder }
        return head
    }

    func next(minimum: Int, patience: Duration?) async throws(UpstreamError) -> UpstreamPiece? {
        var bytes: [UInt8] = []
        while bytes.count < minimum {
            switch try await step() {
            case .bytes(let more): bytes += more
            case .lain: if patience != nil, !bytes.isEmpty { return UpstreamPiece(bytes, isRest: false) }
            case .end:
                // For the next time.
                script.yield(.end)
                return bytes.isEmpty ? nil : UpstreamPiece(bytes, isRest: true)
            case .head, .fail: throw Self.outOfOrder
            }
        }
        return UpstreamPiece(bytes, isRest: false)
    }

    /// The next step; a failure is thrown. The stream of steps ends only by cancellation.
    private func step() async throws(UpstreamError) -> Step {
        var iterator = steps.makeAsyncIterator()
        guard let step = await iterator.next() else {
            throw UpstreamError(.cancelled, "cancelled", requestMayHaveBeenSent: true)
        }
        if case .fail(let error) = step { throw error }
        return step
    }

    private static let outOfOrder = UpstreamError(
        .malformed, "the test's script is out of order", requestMayHaveBeenSent: true)
}
