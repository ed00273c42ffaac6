import Common
import NIOConcurrencyHelpers
import TestSupport
import Upstream

@testable import Verifier

/// A Langfuse server without a network: the answers of its read APIs as the gateway uses them, and whatever faults a
/// test wants.
final class FakeLangfuse: UpstreamClient {
    struct Reply: Sendable {
        var status = 200
        var headers: [HeaderField] = []
        var body: [UInt8] = []

        init(_ status: Int, body: String = "{}", headers: [HeaderField] = []) {
            (self.status, self.body, self.headers) = (status, Array(body.utf8), headers)
        }
    }

    /// A request, and an answer other than the store's; nil for the store's.
    typealias Fault = @Sendable (_ target: String) async throws -> Reply?

    struct State {
        /// By their order's key, and how often each is shown.
        var spans: [String: (span: FakeSpan, copies: Int)] = [:]
        /// The scores of each trace as the third API shows them, the newest first; nil: the server does not have it.
        var scores: [String: [String]]? = [:]
        /// The keys, newest first; empty after a change.
        var order: [String] = []
        var targets: [String] = []
        var authorizations: Set<String> = []
        /// How long each call may take.
        var totals: [Duration] = []
        var bytes: [Int] = []
    }

    let apis: Set<String>
    let version: String
    let hasAttributes: Bool
    let state = NIOLockedValueBox(State())
    let fault: NIOLockedValueBox<Fault?>

    /// - Parameters:
    ///   - apis: of `v1` and `v2`, those that the server has.
    ///   - hasAttributes: whether a span's other attributes are among the metadata.
    init(apis: Set<String> = ["v2"], version: String = "4.16.0", hasAttributes: Bool = true, fault: Fault? = nil) {
        self.hasAttributes = hasAttributes
        self.apis = apis
        self.version = version
        self.fault = NIOLockedValueBox(fault)
    }

    var targets: [String] { state.withLockedValue { $0.targets } }
    /// Questions for scores.
    var askedForScores: [String] { targets.filter { $0.hasPrefix("/api/public/v3/scores") } }
    /// Questions for traces.
    var asked: Int { targets.count { !$0.hasSuffix("/health") } }
    var largest: Int { state.withLockedValue { $0.bytes.max() ?? 0 } }

    /// Holds each question for traces up until `gate`; `working` says that one is there.
    func hold(at gate: TestSignal, telling working: TestSignal) {
        fault.withLockedValue {
            $0 = { target in
                guard !target.hasSuffix("/health") else { return nil }
                working.send()
                await gate.wait()
                return nil
            }
        }
    }

    func show(_ spans: [FakeSpan], copies: Int = 1) {
        state.withLockedValue { state in
            for span in spans { state.spans[span.key] = (span, copies) }
            state.order = []
        }
    }

    func has(_ id: InsertionID) -> Bool {
        state.withLockedValue { state in state.spans.values.contains { $0.span.traceID == id.hex } }
    }

    func withCall<Result: Sendable>(
        _ request: UpstreamRequest, _ body: (any UpstreamCall) async throws -> Result
    ) async throws -> Result {
        let path = request.url.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)[
            3]
        let target = "/" + String(Substring(path))
        state.withLockedValue { state in
            state.targets.append(target)
            state.totals.append(request.timeouts.total)
            state.authorizations.insert(request.headers.first(named: "authorization") ?? "")
        }
        let fault = fault.withLockedValue { $0 }
        let reply = try await fault?(target) ?? answer(target)
        state.withLockedValue { $0.bytes.append(reply.body.count) }
        return try await body(FakeCall(reply))
    }

    private func answer(_ target: String) -> Reply {
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        guard let items = try? QueryItems(parts.count > 1 ? parts[1] : nil) else { return Reply(400) }
        if parts[0].hasSuffix("/health") { return Reply(200, body: #"{"status":"OK","version":"\#(version)"}"#) }
        if parts[0] == "/api/public/v2/observations" {
            guard apis.contains("v2") else {
                return Reply(
                    404,
                    body:
                        #"{"message":"The observations v2 API is only available in a Langfuse v4 write mode.","error":"LangfuseNotFoundError"}"#
                )
            }
            return observations(items)
        }
        if parts[0] == "/api/public/v3/scores" { return scores(items) }
        guard apis.contains("v1") else {
            return Reply(
                404,
                body:
                    #"{"message":"This endpoint is not available on deployments running in Langfuse v4 events_only mode."}"#
            )
        }
        if parts[0] == "/api/public/traces" { return traces(items) }
        return trace(String(parts[0].dropFirst("/api/public/traces/".count)))
    }
}

/// The answer to one call.
final class FakeCall: UpstreamCall {
    private let reply: FakeLangfuse.Reply
    private let isRead = NIOLockedValueBox(false)

    init(_ reply: FakeLangfuse.Reply) { self.reply = reply }

    func head() async throws(UpstreamError) -> UpstreamHead {
        UpstreamHead(status: reply.status, headers: reply.headers)
    }

    func next(minimum: Int, patience: Duration?) async throws(UpstreamError) -> UpstreamPiece? {
        let isOver = isRead.withLockedValue { isRead in
            defer { isRead = true }
            return isRead
        }
        return isOver || reply.body.isEmpty ? nil : UpstreamPiece(reply.body, isRest: true)
    }
}
