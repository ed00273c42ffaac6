import Common
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// The list of models is asked for once for all who wait for it, and remembered for a while.
@Suite(.timeLimit(.minutes(5))) struct ModelListCacheTests {
    private let upstream = ScriptedUpstream()
    private let time = NIOLockedValueBox(ContinuousClock.now)

    private var cache: ModelListCache {
        ModelListCache(
            upstream: upstream, maximumAge: .seconds(10), now: { [time] in time.withLockedValue { $0 } },
            logger: .silent)
    }

    private func pass(_ duration: Duration) { time.withLockedValue { $0 += duration } }

    /// Asks for a model; the answer comes by the stream.
    private func ask(
        _ cache: ModelListCache, for model: String, at url: String = "http://a/models"
    ) -> AsyncStream<ListedModels> {
        let (answers, answer) = AsyncStream.makeStream(of: ListedModels.self)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        eventLoop.execute {
            cache.find(model, asking: UpstreamRequest(method: "GET", url: url), on: eventLoop) { listed in
                answer.yield(listed)
                answer.finish()
            }
        }
        return answers
    }

    private func first(_ answers: AsyncStream<ListedModels>) async throws -> ListedModels {
        for await answer in answers { return answer }
        throw CancellationError()
    }

    private func list(_ ids: String...) -> String {
        #"{"data":["# + ids.map { #"{"id":"\#($0)"}"# }.joined(separator: ",") + "]}"
    }

    @Test func `one question answers all who wait`() async throws {
        let cache = cache
        let waiting = (0..<20).map { ask(cache, for: "a/\($0)") }
        let call = try #require(await upstream.next())
        call.answer().send(list("a/1")).end()
        for answers in waiting { #expect(try await first(answers) == .known(["a/1"])) }
        #expect(try await first(ask(cache, for: "a/2")) == .known(["a/1"]), "fresh, also for what it lacks")
        #expect(upstream.count == 1)
    }

    @Test func `an old list is asked for again where it lacks the model`() async throws {
        let cache = cache
        let before = ask(cache, for: "a/1")
        try #require(await upstream.next()).answer().send(list("a/1")).end()
        _ = try await first(before)
        pass(.seconds(11))
        #expect(try await first(ask(cache, for: "a/1")) == .known(["a/1"]), "a known model does not wait")
        let late = ask(cache, for: "a/2")
        try #require(await upstream.next()).answer().send(list("a/1", "a/2")).end()
        #expect(try await first(late) == .known(["a/1", "a/2"]))
        #expect(upstream.count == 2)
    }

    @Test(arguments: [404, 200]) func `after a failure it rests and the old list stands`(status: Int) async throws {
        let cache = cache
        let failed = ask(cache, for: "a/1")
        try #require(await upstream.next()).answer(status).send("<html>").end()
        #expect(try await first(failed) == .unknown)
        #expect(try await first(ask(cache, for: "a/1")) == .unknown, "not asked again at once")
        pass(.seconds(11))
        let again = ask(cache, for: "a/1")
        try #require(await upstream.next()).answer().send(list("a/1")).end()
        #expect(try await first(again) == .known(["a/1"]))
        pass(.seconds(11))
        let lost = ask(cache, for: "a/2")
        try #require(await upstream.next()).fail(.connect, sent: false)
        #expect(try await first(lost) == .known(["a/1"]))
        #expect(upstream.count == 3)
    }

    /// The operator names another server while a question is under way.
    @Test func `another server's list is another`() async throws {
        let cache = cache
        let old = ask(cache, for: "a/1", at: "http://old/models")
        let asked = try #require(await upstream.next())
        let new = ask(cache, for: "a/1", at: "http://new/models")
        #expect(try await first(old) == .unknown)
        try #require(await upstream.next()).answer().send(list("b/1")).end()
        #expect(try await first(new) == .known(["b/1"]))
        asked.answer().send(list("a/1")).end()
        await asked.isLeft()
        #expect(try await first(ask(cache, for: "a/1", at: "http://new/models")) == .known(["b/1"]))
    }
}
