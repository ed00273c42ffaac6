import Common
import Redis
import TestSupport
import Testing

@testable import Forwarder
@testable import Queue

/// Spans that two groups read: the exporters, and the process with the request log.
@Suite(.timeLimit(.minutes(5))) struct RecordOutboxTests {
    /// Two readers of one stream, the first of which settles before the second.
    @Test(arguments: [true, false]) func `an entry goes when both have it`(exporterIsFirst: Bool) async throws {
        try await ExportFixture.run { fixture in
            let (exporters, recorders) = (fixture.outbox("f"), fixture.records("r"))
            try await exporters.join(["a"])
            try await recorders.join(["a"])
            for _ in 0..<3 { try await fixture.leave(isLogged: true) }
            let bytes = try await fixture.bytes()
            #expect(try await recorders.bytes() == bytes)
            let exported = try await exporters.read("a", upTo: 10)
            let recorded = try await recorders.read(["a"], upTo: 10, wait: .milliseconds(1))
            #expect(exported.map(\.entry) == recorded.map(\.entry))
            if exporterIsFirst {
                #expect(try await exporters.settle(exported) == 3)
            } else {
                try await recorders.settle(recorded)
            }
            #expect(try await fixture.waiting() == 3)
            #expect(try await fixture.bytes() == (exporterIsFirst ? 0 : bytes))
            #expect(try await recorders.bytes() == (exporterIsFirst ? bytes : 0))
            #expect(try await recorders.records(of: recorded).allSatisfy { $0 != nil })
            if exporterIsFirst {
                try await recorders.settle(recorded)
            } else {
                #expect(try await exporters.settle(exported) == 3)
            }
            #expect(try await fixture.waiting() == 0)
            #expect(try await fixture.bytes() == 0)
            #expect(try await recorders.bytes() == 0)
            #expect(try await fixture.redis.send(RedisCommand("LLEN", Keys.keptTraces)).int == 3)
        }
    }

    /// Spans that only one of the groups was given stay for the other.
    @Test func `what the other group has not read stays`() async throws {
        try await ExportFixture.run { fixture in
            let (exporters, recorders) = (fixture.outbox("f"), fixture.records("r"))
            try await exporters.join(["a"])
            try await recorders.join(["a"])
            for _ in 0..<4 { try await fixture.leave(isLogged: true) }
            let first = try await recorders.read(["a"], upTo: 1, wait: .milliseconds(1))
            try await recorders.settle(first)
            let second = try await recorders.read(["a"], upTo: 1, wait: .milliseconds(1))
            #expect(try await exporters.settle(exporters.read("a", upTo: 10)) == 4)
            #expect(try await fixture.waiting() == 3, "one was settled, one is pending, two wait")
            try await recorders.settle(second)
            #expect(try await fixture.waiting() == 2)
            let rest = try await recorders.read(["a"], upTo: 10, wait: .milliseconds(1))
            try await recorders.settle(rest)
            #expect(try await fixture.waiting() == 0)
            #expect(try await recorders.bytes() == 0)
        }
    }

    /// Without a process that has the log the exporters' word is enough, and nothing is counted for ever.
    @Test func `without a group nothing is kept`() async throws {
        try await ExportFixture.run { fixture in
            let exporters = fixture.outbox("f")
            try await exporters.join(["a"])
            for _ in 0..<2 { try await fixture.leave(isLogged: true) }
            #expect(try await fixture.records("r").bytes() > 0)
            #expect(try await exporters.settle(exporters.read("a", upTo: 10)) == 2)
            #expect(try await fixture.waiting() == 0)
            #expect(try await fixture.records("r").bytes() == 0)
        }
    }

    /// Without exporters the log's word is not: they are yet to come.
    @Test func `the log takes nothing from exporters to come`() async throws {
        try await ExportFixture.run { fixture in
            let recorders = fixture.records("r")
            try await recorders.join(["a"])
            try await fixture.leave(isLogged: true)
            try await recorders.settle(recorders.read(["a"], upTo: 10, wait: .milliseconds(1)))
            #expect(try await fixture.waiting() == 1)
            let exporters = fixture.outbox("f")
            try await exporters.join(["a"])
            #expect(try await exporters.settle(exporters.read("a", upTo: 10)) == 1)
            #expect(try await fixture.waiting() == 0)
        }
    }

    /// A span that makes room for others has no row either, and is counted.
    @Test func `rows that make room are counted`() async throws {
        try await ExportFixture.run { fixture in
            let (exporters, recorders) = (fixture.outbox("f"), fixture.records("r"))
            try await exporters.join(["a"])
            try await recorders.join(["a"])
            for _ in 0..<3 { try await fixture.leave(hasFailed: true, isLogged: true) }
            let size = try await fixture.bytes() / 3
            // One is accepted, and waits for the log alone: it makes no room.
            #expect(try await exporters.settle(exporters.read("a", upTo: 1)) == 1)
            // One is the log's already, which finds it gone.
            let known = try await recorders.read(["a"], upTo: 2, wait: .milliseconds(1))
            #expect(try await exporters.shedFailures(of: "a", bytes: 10 * size) == (2 * size, 2))
            #expect(try await fixture.bytes() == 0)
            #expect(try await fixture.lost() == 1)
            #expect(try await recorders.records(of: known).map { $0 == nil } == [false, true])
            try await recorders.settle([known[0]])
            try await recorders.settle([known[1]], isLost: true)
            #expect(try await fixture.lost() == 2)
            #expect(try await recorders.bytes() == 0)
            #expect(try await fixture.waiting() == 0)
        }
    }

    /// The log's own bound: the oldest records go, the exporters keep their spans.
    @Test func `the oldest records go`() async throws {
        try await ExportFixture.run { fixture in
            let exporters = fixture.outbox("f")
            try await exporters.join(["a"])
            try await fixture.records("r").join(["a", RecordOutbox.noProject])
            for _ in 0..<3 { try await fixture.leave(isLogged: true) }
            let bytes = try await fixture.bytes()
            for _ in 0..<2 { try await fixture.leave("none", isLogged: true, isExported: false) }
            let trimmer = fixture.records("t", maximumBytes: bytes)
            let log = try await trimmer.bytes()
            #expect(log > bytes)
            // Two thirds of the spans make room for both records; they came first.
            #expect(try await trimmer.trim(["a"]) == 2)
            #expect(try await trimmer.bytes() == log - bytes / 3 * 2)
            #expect(try await fixture.lost() == 2)
            #expect(try await fixture.redis.send(RedisCommand("XLEN", Keys.requests)).int == 2, "the newest stay")
            // What was looked at and stays is the log's as soon as it looks.
            #expect(try await trimmer.takeOver(RecordOutbox.noProject, upTo: 10).count == 2)
            #expect(try await fixture.bytes() == bytes)
            #expect(try await exporters.settle(exporters.read("a", upTo: 10)) == 3)
            #expect(try await trimmer.trim(["a"]) == 0)
        }
    }

    /// A verifier that has seen a span's trace lets it go, once the log has read it.
    @Test func `a span is forgotten once the log has read it`() async throws {
        try await ExportFixture.run { fixture in
            let (exporters, recorders) = (fixture.outbox("f"), fixture.records("r"))
            try await exporters.join(["a"])
            try await recorders.join(["a"])
            func isKept(_ id: InsertionID) async throws -> Bool {
                try await SpanOutbox.forget([id], of: "a", through: fixture.redis)
                return try await fixture.redis.send(RedisCommand("EXISTS", Keys.span(id))).int == 1
            }
            let id = try await fixture.leave(isLogged: true)
            try await exporters.settle(exporters.read("a", upTo: 10))
            #expect(try await isKept(id), "the log has not been given it")
            let given = try await recorders.read(["a"], upTo: 10, wait: .milliseconds(1))
            #expect(try await isKept(id), "nor settled it")
            try await recorders.settle(given)
            #expect(try await !isKept(id))
        }
    }

    /// The log was on, and is off now: what waits for it alone goes, what is to be exported stays.
    @Test func `a log that ends leaves nothing`() async throws {
        try await ExportFixture.run { fixture in
            let exporters = fixture.outbox("f")
            try await exporters.join(["a"])
            try await fixture.records("r").join(["a", RecordOutbox.noProject])
            for _ in 0..<3 { try await fixture.leave(isLogged: true) }
            try await fixture.leave(isLogged: true, isExported: false)
            #expect(try await exporters.settle(exporters.read("a", upTo: 2)) == 2)
            #expect(try await fixture.waiting() == 3)
            try await exporters.endLog(of: ["a"])
            #expect(try await fixture.waiting() == 1)
            #expect(try await fixture.redis.send(RedisCommand("EXISTS", Keys.requests, Keys.requestBytes)).int == 0)
            #expect(try await exporters.settle(exporters.read("a", upTo: 10)) == 1)
            #expect(try await fixture.waiting() == 0)
        }
    }

    /// Without a process that has kept the log, a record that is not a span is not kept.
    @Test func `without a log there is no record`() async throws {
        try await ExportFixture.run { fixture in
            try await fixture.leave(isLogged: true, isExported: false)
            #expect(try await fixture.redis.send(RedisCommand("EXISTS", Keys.requests)).int == 0)
            #expect(try await fixture.records("r").bytes() == 0)
        }
    }

    /// A record that is not a span stands in its entry.
    @Test func `a record is no span`() async throws {
        try await ExportFixture.run { fixture in
            let recorders = fixture.records("r")
            try await recorders.join([RecordOutbox.noProject])
            let id = try await fixture.leave(text: #"{"x":1}"#, isLogged: true, isExported: false)
            #expect(try await fixture.bytes() == 0)
            #expect(try await fixture.redis.send(RedisCommand("EXISTS", Keys.span(id))).int == 0)
            let entries = try await recorders.read([RecordOutbox.noProject], upTo: 10, wait: .milliseconds(1))
            let sealed = try #require(try await recorders.records(of: entries).first.flatMap(\.self))
            #expect(try fixture.envelope.open(sealed, for: .span(id)) == Array(#"{"x":1}"#.utf8))
            try await recorders.settle(entries)
            #expect(try await fixture.redis.send(RedisCommand("XLEN", Keys.requests)).int == 0)
            #expect(try await recorders.bytes() == 0)
        }
    }
}

extension ExportFixture {
    fileprivate func records(_ name: String, maximumBytes: Int = 1 << 30) -> RecordOutbox {
        RecordOutbox(consumer: name, commands: redis, reader: redis, maximumBytes: maximumBytes)
    }

    /// Rows that were given up.
    fileprivate func lost() async throws -> Int {
        try await redis.send(RedisCommand("GET", Keys.requestsLost)).int ?? 0
    }
}
