import Common
import NIOConcurrencyHelpers
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// An exporter beside the trace store in one process: what the store answers means what it means by HTTP.
@Suite(.timeLimit(.minutes(5))) struct LocalStoreTests {
    /// A store that a test plays.
    final class Store: SpanStore {
        let answers: NIOLockedValueBox<[SpanStoreResponse]>
        let taken = NIOLockedValueBox<[[InsertionID]]>([])
        /// What a batch waits for.
        let hold: (@Sendable () async -> Void)?

        init(_ answers: [SpanStoreResponse] = [], hold: (@Sendable () async -> Void)? = nil) {
            self.answers = NIOLockedValueBox(answers)
            self.hold = hold
        }

        func store(_ spans: [SpanRecord], of project: String) async -> SpanStoreResponse {
            taken.withLockedValue { $0.append(spans.map(\.id)) }
            await hold?()
            return answers.withLockedValue { $0.isEmpty ? .stored : $0.removeFirst() }
        }
    }

    private static func leave(_ fixture: ExportFixture) async throws -> InsertionID {
        let id = fixture.ids.next()
        return try await fixture.leave(id, span: SpanRecordWriter(id, name: "chat", end: 0, capacity: 0).bytes)
    }

    private static func with(_ store: Store, in fixture: ExportFixture, body: () async throws -> Void) async throws {
        let destinations = try fixture.destinations(of: ["a"])
        destinations.keep(in: store)
        try await fixture.withExporter(destinations: destinations, body)
    }

    @Test func `spans reach it without HTTP`() async throws {
        try await ExportFixture.run { fixture in
            let store = Store()
            let ids = [try await Self.leave(fixture), try await Self.leave(fixture)]
            try await Self.with(store, in: fixture) { try await fixture.untilEmpty() }
            #expect(store.taken.withLockedValue { $0 } == [ids])
            #expect(fixture.store.count == 0)
            #expect(try await fixture.redis.send(RedisCommand("LLEN", Keys.keptTraces)).int == 2)
        }
    }

    /// A span is settled when the store has said that it is committed, and not before.
    @Test func `nothing is settled before it is stored`() async throws {
        try await ExportFixture.run { fixture in
            let (reached, goOn) = (TestSignal(), TestSignal())
            let store = Store(hold: {
                reached.send()
                await goOn.wait()
            })
            _ = try await Self.leave(fixture)
            try await Self.with(store, in: fixture) {
                await reached.wait()
                #expect(try await fixture.waiting() == 1)
                goOn.send()
                try await fixture.untilEmpty()
            }
        }
    }

    @Test(arguments: [SpanStoreResponse(status: 503), .init(status: 429, retryAfter: 1), .init(status: 500)])
    func `one that cannot take them is asked again`(answer: SpanStoreResponse) async throws {
        try await ExportFixture.run { fixture in
            let store = Store([answer])
            let id = try await Self.leave(fixture)
            try await Self.with(store, in: fixture) { try await fixture.untilEmpty() }
            #expect(store.taken.withLockedValue { $0 } == [[id], [id]])
            #expect(
                try await fixture.redis.send(RedisCommand("GET", Keys.traceTrouble)).string
                    == "it answered \(answer.status)")
        }
    }

    /// Version 0.1.0 wrote one of the spans: the batch goes the way that it knew.
    @Test func `a batch with an older span goes by HTTP`() async throws {
        try await ExportFixture.run { fixture in
            let store = Store()
            _ = try await Self.leave(fixture)
            let older = try await fixture.leave()
            try await Self.with(store, in: fixture) {
                let call = try await fixture.next()
                #expect(try call.text().contains(older.description))
                call.settle(200)
                try await fixture.untilEmpty()
            }
            #expect(store.taken.withLockedValue { $0.isEmpty })
        }
    }

    /// What is damaged, and what a batch as OTLP has no room for.
    @Test func `a batch that is too large as OTLP goes in parts`() async throws {
        try await ExportFixture.run { fixture in
            let quotes = [UInt8](repeating: UInt8(ascii: "\""), count: 800_000)
            for _ in 0..<4 {
                let id = fixture.ids.next()
                var writer = SpanRecordWriter(id, name: "", end: 0, capacity: 0)
                writer.begin(.input, count: quotes.count)
                writer.append(quotes, quotes.indices)
                try await fixture.leave(id, span: writer.bytes)
            }
            try await fixture.leave(fixture.ids.next(), span: [SpanRecord.form])
            try await fixture.withExporter {
                for _ in 0..<2 {
                    let call = try await fixture.next()
                    #expect(try (3_200_000...ExportBatch.maximumBytes).contains(call.text().utf8.count))
                    call.settle(200)
                }
                try await fixture.untilEmpty()
                #expect(try await fixture.redis.send(RedisCommand("LLEN", Keys.keptTraces)).int == 5)
            }
        }
    }
}
