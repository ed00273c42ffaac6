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
        let answers: NIOLockedValueBox<[SpanStoreAnswer]>
        let taken = NIOLockedValueBox<[[InsertionID]]>([])
        /// What a batch waits for.
        let hold: (@Sendable () async -> Void)?

        init(_ answers: [SpanStoreAnswer] = [], hold: (@Sendable () async -> Void)? = nil) {
            self.answers = NIOLockedValueBox(answers)
            self.hold = hold
        }

        func store(_ spans: [SpanRecord], of project: String) async -> SpanStoreAnswer {
            taken.withLockedValue { $0.append(spans.map(\.id)) }
            await hold?()
            return answers.withLockedValue { $0.isEmpty ? .stored : $0.removeFirst() }
        }
    }

    private static func leave(_ bench: ExportBench) async throws -> InsertionID {
        let id = bench.ids.next()
        return try await bench.leave(id, SpanRecordWriter(id, name: "chat", end: 0, capacity: 0).bytes)
    }

    private static func with(_ store: Store, _ bench: ExportBench, _ body: () async throws -> Void) async throws {
        let destinations = try bench.destinations(of: ["a"])
        destinations.keep(in: store)
        try await bench.withExporter(destinations: destinations, body)
    }

    @Test func spansReachItWithoutHTTP() async throws {
        try await ExportBench.run { bench in
            let store = Store()
            let ids = [try await Self.leave(bench), try await Self.leave(bench)]
            try await Self.with(store, bench) { try await bench.untilEmpty() }
            #expect(store.taken.withLockedValue { $0 } == [ids])
            #expect(bench.store.count == 0)
            #expect(try await bench.redis.send(RedisCommand("LLEN", Keys.keptTraces)).int == 2)
        }
    }

    /// A span is settled when the store has said that it is committed, and not before.
    @Test func nothingIsSettledBeforeItIsStored() async throws {
        try await ExportBench.run { bench in
            let (reached, goOn) = (TestSignal(), TestSignal())
            let store = Store(hold: {
                reached.send()
                await goOn.wait()
            })
            _ = try await Self.leave(bench)
            try await Self.with(store, bench) {
                await reached.wait()
                #expect(try await bench.waiting() == 1)
                goOn.send()
                try await bench.untilEmpty()
            }
        }
    }

    @Test(arguments: [SpanStoreAnswer(status: 503), .init(status: 429, retryAfter: 1), .init(status: 500)])
    func oneThatCannotTakeThemIsAskedAgain(answer: SpanStoreAnswer) async throws {
        try await ExportBench.run { bench in
            let store = Store([answer])
            let id = try await Self.leave(bench)
            try await Self.with(store, bench) { try await bench.untilEmpty() }
            #expect(store.taken.withLockedValue { $0 } == [[id], [id]])
            #expect(
                try await bench.redis.send(RedisCommand("GET", Keys.traceTrouble)).string
                    == "it answered \(answer.status)")
        }
    }

    /// Version 0.1.0 wrote one of the spans: the batch goes the way that it knew.
    @Test func aBatchWithAnOlderSpanGoesByHTTP() async throws {
        try await ExportBench.run { bench in
            let store = Store()
            _ = try await Self.leave(bench)
            let older = try await bench.leave()
            try await Self.with(store, bench) {
                let call = try await bench.next()
                #expect(try call.text().contains(older.description))
                call.settle(200)
                try await bench.untilEmpty()
            }
            #expect(store.taken.withLockedValue { $0.isEmpty })
        }
    }

    /// What is damaged, and what a batch as OTLP has no room for.
    @Test func aBatchThatIsTooLargeAsOTLPGoesInParts() async throws {
        try await ExportBench.run { bench in
            let quotes = [UInt8](repeating: UInt8(ascii: "\""), count: 800_000)
            for _ in 0..<4 {
                let id = bench.ids.next()
                var writer = SpanRecordWriter(id, name: "", end: 0, capacity: 0)
                writer.begin(.input, count: quotes.count)
                writer.append(quotes, quotes.indices)
                try await bench.leave(id, writer.bytes)
            }
            try await bench.leave(bench.ids.next(), [SpanRecord.form])
            try await bench.withExporter {
                for _ in 0..<2 {
                    let call = try await bench.next()
                    #expect(try (3_200_000...ExportBatch.maximumBytes).contains(call.text().utf8.count))
                    call.settle(200)
                }
                try await bench.untilEmpty()
                #expect(try await bench.redis.send(RedisCommand("LLEN", Keys.keptTraces)).int == 5)
            }
        }
    }
}
