import Common
import InMemoryLogging
import Logging
import Queue
import Redis
import TestSupport
import Testing

@testable import Forwarder

/// The bounds of the outbox and of what is kept after it: who makes room, and what is counted.
@Suite(.timeLimit(.minutes(5))) struct OutboxRoomTests {
    /// What makes room may be on its way. Its bytes are counted once.
    @Test func `what an exporter has may make room`() async throws {
        try await ExportFixture.run { fixture in
            let outbox = fixture.outbox("f")
            for index in 0..<4 { try await fixture.leave(hasFailed: index < 2) }
            let size = try await fixture.bytes() / 4
            try await outbox.join(["a"])
            let given = try await outbox.read("a", upTo: 10)
            let shed = try await outbox.shedFailures(of: "a", bytes: 4 * size)
            #expect(shed == (2 * size, 2))
            try await fixture.leave()
            #expect(try await outbox.settle(given) == 2)
            #expect(try await fixture.bytes() == size)
            #expect(try await fixture.waiting() == 1)
        }
    }

    /// An operator takes a project's keys away while its spans wait: they must not keep the others' rollouts out for
    /// ever.
    @Test func `what is not exported makes room`() async throws {
        try await ExportFixture.run { fixture in
            let outbox = fixture.outbox("f")
            var spans: [InsertionID] = []
            for _ in 0..<4 { spans.append(try await fixture.leave("old")) }
            let size = try await fixture.bytes() / 4
            #expect(try await outbox.note(exported: ["a", "old"]) == [])
            #expect(try await outbox.note(exported: ["a"]) == [], "another one may be starting again")
            // Five minutes pass.
            let then =
                try #require(try await fixture.redis.send(RedisCommand("HGET", Keys.exportedProjects, "old")).int) - 301
            _ = try await fixture.redis.send(RedisCommand("HSET", Keys.exportedProjects, "old", then))
            #expect(try await outbox.note(exported: ["a"]) == ["old"])
            #expect(try await outbox.clear(orphan: "old", bytes: -1) == (0, 0), "they may find their exporter again")
            _ = try await fixture.redis.send(RedisCommand("DEL", Keys.span(spans[2])))
            #expect(try await outbox.clear(orphan: "old", bytes: 0) == (size, 1), "it waited too long")
            #expect(try await outbox.clear(orphan: "old", bytes: size + 1) == (2 * size, 2), "the oldest")
            #expect(try await fixture.redis.send(RedisCommand("EXISTS", Keys.span(spans[3]))).int == 1)
            try await fixture.withExporter(maximumBytes: size) {
                try await eventually { try await fixture.bytes() == 0 }
            }
            #expect(try await fixture.waiting("old") == 0)
            #expect(try await outbox.clear(orphan: "old", bytes: 0) == (0, 0))
            #expect(try await fixture.redis.send(RedisCommand("HEXISTS", Keys.exportedProjects, "old")).int == 0)
        }
    }

    /// It was accepted, was lost, and was accepted again: what is known of the first time ends, and the span stays for
    /// the second.
    @Test func `a span accepted twice is kept from the second time on`() async throws {
        try await ExportFixture.run { fixture in
            let id = try await fixture.leave()
            let size = try await fixture.bytes()
            let outbox = fixture.outbox("f", maximumBytes: 2 * size)
            try await outbox.join(["a"])
            #expect(try await outbox.settle(outbox.read("a", upTo: 10)) == 1)
            let name = try #require(try await fixture.redis.send(RedisCommand("LINDEX", Keys.keptTraces, 0)).string)
            let earlier =
                try "\(#require(name.split(separator: " ").first.flatMap { Int($0) }) - 600)" + name.drop { $0 != " " }
            _ = try await fixture.redis.send(RedisCommand("LSET", Keys.keptTraces, 0, earlier))
            _ = try await fixture.redis.send(
                RedisCommand("XADD", Keys.traces(project: "a"), "*", "i", id.description, "n", size, "succeeded", ""))
            #expect(try await outbox.settle(outbox.read("a", upTo: 10)) == 1)
            try await fixture.leave()
            #expect(try await outbox.settle(outbox.read("a", upTo: 10)) == 1)
            #expect(
                try await fixture.redis.send(RedisCommand("LLEN", Keys.keptTraces)).int == 2, "the first time made room"
            )
            #expect(try await fixture.redis.send(RedisCommand("EXISTS", Keys.span(id))).int == 1)
        }
    }

    /// A rollout that nobody asks for would keep its spans for an hour, however many there are.
    @Test func `of the kept spans the oldest go first`() async throws {
        try await ExportFixture.run { fixture in
            func export(_ count: Int) async throws -> [InsertionID] {
                var ids: [InsertionID] = []
                for _ in 0..<count {
                    ids.append(try await fixture.leave(text: #"{"x":"\#(String(repeating: "x", count: 900))"}"#))
                }
                try await fixture.next().settle(200)
                try await fixture.untilEmpty()
                return ids
            }
            func kept(_ ids: [InsertionID]) async throws -> Int {
                var command = RedisCommand("EXISTS")
                command.append(contentsOf: ids.map { Keys.span($0) })
                return try await fixture.redis.send(command).int ?? 0
            }
            try await fixture.withExporter(maximumBytes: 5000) {
                let first = try await export(1)
                let resent = try await export(1)
                _ = try await fixture.redis.send(RedisCommand("EXPIRE", Keys.span(resent[0]), 7200))
                let next = try await export(1) + export(1)
                #expect(try await kept(first + resent + next) == 4)
                let last = try await export(1) + export(1)
                #expect(try await kept(first) == 0, "it was the oldest")
                #expect(try await kept(resent) == 1, "it waits for its export again")
                #expect(try await kept(next + last) == 4)
                let bytes = try #require(try await fixture.redis.send(RedisCommand("GET", Keys.keptTraceBytes)).int)
                #expect((4 * 900...5000).contains(bytes))
                // An hour passes for the two oldest; the key of one that does not wait has gone by then.
                _ = try await fixture.redis.send(RedisCommand("DEL", Keys.span(next[0])))
                for index in 0..<2 {
                    let name = try #require(
                        try await fixture.redis.send(RedisCommand("LINDEX", Keys.keptTraces, index)).string)
                    let old =
                        try "\(#require(name.split(separator: " ").first.flatMap { Int($0) }) - 3601)"
                        + name.drop { $0 != " " }
                    _ = try await fixture.redis.send(RedisCommand("LSET", Keys.keptTraces, index, old))
                }
                let small = try await fixture.leave()
                try await fixture.next().settle(200)
                try await fixture.untilEmpty()
                #expect(try await kept(resent) == 1)
                #expect(try await kept([next[1], small] + last) == 4)
                #expect(try await fixture.redis.send(RedisCommand("LLEN", Keys.keptTraces)).int == 4)
            }
        }
    }

    @Test func `near the bound the oldest failures go`() async throws {
        try await ExportFixture.run { fixture in
            let oldest = try await fixture.leave(hasFailed: true)
            let success = try await fixture.leave()
            let newest = try await fixture.leave(hasFailed: true)
            let size = try await fixture.bytes() / 3
            let log = InMemoryLogHandler()
            try await fixture.withExporter(maximumBytes: size * 3, logger: Logger(label: "exporter") { _ in log }) {
                let call = try await fixture.next()
                #expect(try call.ids() == [success.description, newest.description])
                #expect(try await fixture.redis.send(RedisCommand("EXISTS", Keys.span(oldest))).int == 0)
                let said = log.entries.filter { $0.level == .warning }.map(\.message.description)
                #expect(said.contains { $0.hasPrefix("completions of rollouts are refused") })
                #expect(said.contains { $0.hasPrefix("gave up traces of failed completions") })
                call.settle(200)
                try await fixture.untilEmpty()
                #expect(try await fixture.bytes() == 0)
            }
        }
    }
}
