import Common
import Queue
import Redis
import TestSupport
import Testing

@testable import Forwarder

/// Spans that this exporter cannot read: those that another one may be able to read wait for it.
@Suite(.timeLimit(.minutes(5))) struct LeftSpanTests {
    /// Writes a byte of a span's sealed form.
    private func set(_ byte: UInt8, at offset: Int, of id: InsertionID, _ fixture: ExportFixture) async throws {
        #expect(try await fixture.redis.send(RedisCommand("SETRANGE", Keys.span(id), offset, [byte])).int ?? 0 > 0)
    }

    /// An exporter of another process that knows the version finds it at once.
    @Test func `of a later version wait for an exporter that knows it`() async throws {
        try await ExportFixture.run { fixture in
            let later = try await fixture.leave()
            try await set(3, at: 0, of: later, fixture)
            let good = try await fixture.leave()
            try await fixture.withExporter {
                let call = try await fixture.next()
                #expect(try call.ids() == [good.description])
                call.settle(200)
                try await eventually { try await fixture.waiting() == 1 }
                #expect(
                    try await fixture.redis.send(RedisCommand("TTL", Keys.span(later))).int ?? 0 > 3600,
                    "it counts as one that waits")
            }
            try await set(1, at: 0, of: later, fixture)
            try await fixture.withExporter {
                let call = try await fixture.next()
                #expect(try call.ids() == [later.description])
                call.settle(200)
                try await fixture.untilEmpty()
                #expect(try await fixture.bytes() == 0)
            }
        }
    }

    @Test func `of another key are left alone`() async throws {
        try await ExportFixture.run { fixture in
            let foreign = try await fixture.leave()
            let sealed = try Envelope(key: .random()).seal(Array("{}".utf8), for: .span(foreign))
            _ = try await fixture.redis.send(RedisCommand("SET", Keys.span(foreign), sealed, "KEEPTTL"))
            let outbox = fixture.outbox("f")
            try await outbox.join(["a"])
            let given = try await outbox.read("a", upTo: 10)
            var backlog = ProjectBacklog(project: "a", now: .now)
            backlog.waiting = given
            backlog = try await fixture.sender(outbox).send(backlog)
            #expect(backlog.waiting.isEmpty && fixture.store.count == 0)
            #expect(try await outbox.takeOver("a", upTo: 10).isEmpty, "this one has seen it")
            #expect(try await fixture.outbox("other").takeOver("a", upTo: 10) == given)
            #expect(try await fixture.redis.send(RedisCommand("GET", Keys.span(foreign))).bytes == sealed)
        }
    }

    /// However many there are, others that idle behind them are found.
    @Test func `do not stand before others`() async throws {
        try await ExportFixture.run { fixture in
            let outbox = fixture.outbox("f")
            try await outbox.join(["a"])
            for _ in 0..<20 { try await fixture.leave() }
            let left = try await outbox.read("a", upTo: 20)
            try await outbox.leave(left)
            let lost = try await fixture.leave()
            let dead = fixture.outbox("dead")
            let given = try await dead.read("a", upTo: 10)
            try await fixture.neglect(given, by: "dead")
            #expect(try await outbox.takeOver("a", upTo: 1).map(\.id) == [lost])
            #expect(try await fixture.outbox("other").takeOver("a", upTo: 100) == left)
        }
    }

    /// OUTBOX_MAX_AGE_SECONDS bounds them as it does all: when the span is gone, its entry goes too.
    @Test func `go with their time`() async throws {
        try await ExportFixture.run { fixture in
            let later = try await fixture.leave()
            try await set(3, at: 0, of: later, fixture)
            let outbox = fixture.outbox("f")
            try await outbox.join(["a"])
            var backlog = ProjectBacklog(project: "a", now: .now)
            backlog.waiting = try await outbox.read("a", upTo: 10)
            _ = try await fixture.sender(outbox).send(backlog)
            _ = try await fixture.redis.send(RedisCommand("DEL", Keys.span(later)))
            try await fixture.withExporter { try await fixture.untilEmpty() }
            #expect(try await fixture.bytes() == 0)
        }
    }
}
