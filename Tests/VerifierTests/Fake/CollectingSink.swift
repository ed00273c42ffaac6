import Common
import NIOConcurrencyHelpers
import Queue
import Upstream

@testable import Verifier

/// Keeps an answer, and may refuse it after a while, like a client that has left.
final class CollectingSink: ResponseSink {
    private struct State {
        var head: UpstreamHead?
        var body: [UInt8] = []
        var pieces: [Int] = []
    }

    struct Gone: Error {}

    private let state = NIOLockedValueBox(State())
    private let most: Int
    private let keeps: Bool

    /// - Parameters:
    ///   - most: pieces that are taken.
    ///   - keeps: whether the body is kept, not only its size.
    init(most: Int = .max, keeps: Bool = true) {
        self.most = most
        self.keeps = keeps
    }

    var status: Int? { state.withLockedValue { $0.head?.status } }
    var headers: [HeaderField] { state.withLockedValue { $0.head?.headers ?? [] } }
    var text: String { state.withLockedValue { String(decoding: $0.body, as: UTF8.self) } }
    var json: LangfuseJSON? { state.withLockedValue { LangfuseJSON($0.body) } }
    var pieces: [Int] { state.withLockedValue { $0.pieces } }

    func begin(_ head: UpstreamHead) async throws { state.withLockedValue { $0.head = head } }

    func write(_ bytes: [UInt8]) async throws {
        let count = state.withLockedValue { state in
            if keeps { state.body += bytes }
            state.pieces.append(bytes.count)
            return state.pieces.count
        }
        if count > most { throw Gone() }
    }
}
