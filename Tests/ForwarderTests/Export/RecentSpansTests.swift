import Common
import Queue
import Redis
import TestSupport
import Testing

@testable import Forwarder

@Suite(.timeLimit(.minutes(5))) struct RecentSpansTests {
    private let ids = InsertionIDGenerator()

    @Test func `the oldest give way`() {
        let spans = RecentSpans(limit: 1000)
        let all = (0..<100).map { _ in ids.next() }
        for (index, id) in all.enumerated() { spans.keep(Array(repeating: UInt8(index), count: 99), of: id) }
        let kept = all.filter { spans.take($0) != nil }
        #expect((5...10).contains(kept.count) && kept == Array(all.suffix(kept.count)))
        #expect(all.allSatisfy { spans.take($0) == nil }, "each is given once")
    }

    /// What was taken makes room.
    @Test func `none gives way to what was taken`() {
        let spans = RecentSpans(limit: 1000)
        let first = ids.next()
        spans.keep([1], of: first)
        for _ in 0..<100 {
            let id = ids.next()
            spans.keep(Array(repeating: 0, count: 400), of: id)
            #expect(spans.take(id)?.count == 400)
        }
        #expect(spans.take(first) == [1])
    }

    @Test func `one that is larger than the bound is kept alone`() {
        let spans = RecentSpans(limit: 10)
        let (large, next) = (ids.next(), ids.next())
        spans.keep(Array(repeating: 0, count: 100), of: large)
        #expect(spans.take(large)?.count == 100)
        spans.keep([1], of: next)
        #expect(spans.take(next) == [1])
    }

    /// An exporter sends what is at hand, and reads back what is not, each under its own entry.
    @Test func `an exporter reads back the others alone`() async throws {
        try await ExportFixture.run { fixture in
            let spans = RecentSpans()
            var ids: [InsertionID] = []
            for index in 0..<6 {
                let id = try await fixture.leave()
                ids.append(id)
                guard index.isMultiple(of: 2) else { continue }
                spans.keep(Array(#"{"id":"\#(id)","atHand":1}"#.utf8), of: id)
            }
            let outbox = fixture.outbox("f")
            try await outbox.join(["a"])
            var backlog = ProjectBacklog(project: "a", now: .now)
            backlog.waiting = try await outbox.read("a", upTo: 10)
            let given = backlog
            async let sent = fixture.sender(outbox, recent: spans).send(given)
            let call = try await fixture.next()
            let expected = ids.enumerated().map {
                $0.isMultiple(of: 2) ? #"{"id":"\#($1)","atHand":1}"# : #"{"id":"\#($1)"}"#
            }
            #expect(try call.text().hasSuffix(#""spans":["# + expected.joined(separator: ",") + "]}]}]}"))
            call.settle(503)
            #expect(try await sent.waiting.map(\.id) == ids)
            // The next time all are read back.
            async let again = fixture.sender(outbox, recent: spans).send(given)
            let second = try await fixture.next()
            #expect(try second.ids() == Set(ids.map(\.description)) && !second.text().contains("atHand"))
            second.settle(200)
            #expect(try await again.waiting.isEmpty)
            #expect(try await fixture.bytes() == 0)
        }
    }
}
