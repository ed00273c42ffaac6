import Common
import InMemoryLogging
import Logging
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

@Suite(.timeLimit(.minutes(5))) struct ExporterTests {
    @Test func `a span is sent as OTLP and kept for an hour`() async throws {
        try await ExportFixture.run { fixture in
            let id = try await fixture.leave()
            try await fixture.withExporter {
                let call = try await fixture.next()
                #expect(
                    call.request.method == "POST" && call.request.url == "http://store:3000/api/public/otel/v1/traces")
                // base64("pk:sk")
                #expect(call.request.headers.first(named: "authorization") == "Basic cGs6c2s=")
                #expect(call.request.headers.first(named: "x-langfuse-ingestion-version") == "4")
                #expect(call.request.headers.first(named: "content-encoding") == "gzip")
                let text = try call.text()
                #expect(text.contains(#""spans":[{"id":"\#(id)"}]"#))
                call.settle(200)
                try await fixture.untilEmpty()
                #expect(try await fixture.bytes() == 0)
                let life = try await fixture.redis.send(RedisCommand("TTL", Keys.span(id))).int ?? 0
                #expect((3500...3600).contains(life), "kept, to be sent again")
            }
        }
    }

    @Test func `what waits leaves together`() async throws {
        try await ExportFixture.run { fixture in
            var ids: Set<String> = []
            for _ in 0..<20 { ids.insert(try await fixture.leave().description) }
            try await fixture.withExporter {
                let call = try await fixture.next()
                #expect(try call.ids() == ids)
                call.settle(200)
                try await fixture.untilEmpty()
            }
            #expect(fixture.store.count == 1)
        }
    }

    @Test func `a batch stays below Langfuse's bound`() async throws {
        try await ExportFixture.run { fixture in
            let text = #"{"x":"\#(String(repeating: "x", count: 1_500_000))"}"#
            for _ in 0..<4 { try await fixture.leave(text: text) }
            try await fixture.withExporter {
                var sizes: [Int] = []
                while try await fixture.waiting() > 0 {
                    let call = try await fixture.next()
                    sizes.append(try call.text().utf8.count)
                    call.settle(200)
                    await call.isLeft()
                    let settled = 2 * sizes.count
                    try await eventually { try await fixture.waiting() <= max(4 - settled, 0) }
                }
                #expect(
                    sizes.count == 2 && sizes.allSatisfy { $0 > 3_000_000 && $0 <= ExportBatch.maximumBytes },
                    "\(sizes)")
            }
        }
    }

    @Test func `one malformed span holds up no other`() async throws {
        try await ExportFixture.run { fixture in
            var good: Set<String> = []
            for _ in 0..<4 { good.insert(try await fixture.leave().description) }
            let bad = try await fixture.leave(text: #"{"malformed":1}"#)
            for _ in 0..<4 { good.insert(try await fixture.leave().description) }
            try await fixture.withExporter {
                var accepted: Set<String> = []
                while accepted != good {
                    let call = try await fixture.next()
                    let isBad = try call.text().contains("malformed")
                    if !isBad { accepted.formUnion(try call.ids()) }
                    call.settle(isBad ? 400 : 200)
                }
                // The bad one was sent alone before the last of the others, and is given up.
                try await fixture.untilEmpty()
                #expect(
                    try await fixture.redis.send(RedisCommand("EXISTS", Keys.span(bad))).int == 0,
                    "no verifier sends it again"
                )
                #expect(try await fixture.bytes() == 0)
            }
        }
    }

    /// A server that was asked for HTTPS in plain text, a proxy that wants to be paid: the spans are not wrong, so they
    /// wait.
    @Test(arguments: [(400, 5), (402, 1), (406, 1), (413, 5), (415, 1), (421, 1), (422, 5), (426, 1)])
    func `a place that takes nothing loses nothing`(status: Int, calls: Int) async throws {
        try await ExportFixture.run { fixture in
            var spans: [InsertionID] = []
            for _ in 0..<3 { spans.append(try await fixture.leave()) }
            try await fixture.withExporter {
                for _ in 0..<calls { try await fixture.next().settle(status) }
                try await eventually {
                    try await fixture.redis.send(RedisCommand("EXISTS", Keys.traceTrouble)).int == 1
                }
                #expect(try await fixture.waiting() == 3)
                var kept = RedisCommand("EXISTS")
                kept.append(contentsOf: spans.map { Keys.span($0) })
                #expect(try await fixture.redis.send(kept).int == 3)
            }
            #expect(fixture.store.count == calls, "it is left alone for a minute")
        }
    }

    /// However many there are, it takes few calls to see that none is taken.
    @Test func `a place that takes nothing is not asked for each span`() async throws {
        try await ExportFixture.run { fixture in
            for _ in 0..<200 { try await fixture.leave() }
            let outbox = fixture.outbox("f")
            var backlog = ProjectBacklog(project: "a", now: .now)
            try await outbox.join(["a"])
            backlog.waiting = try await outbox.read("a", upTo: 512)
            let sender = try fixture.sender(outbox)
            async let after = sender.send(backlog)
            for _ in 0..<64 { try await fixture.next().settle(400) }
            #expect(await after.waiting.count == 200 && fixture.store.count == 64)
        }
    }

    /// One that is refused alone waits until another one shows whether any is taken; even one that is so large that it
    /// always goes alone.
    @Test(arguments: [1, 4_000_000]) func `a span refused alone waits for company`(size: Int) async throws {
        try await ExportFixture.run { fixture in
            let bad = try await fixture.leave(text: #"{"malformed":"\#(String(repeating: "x", count: size))"}"#)
            let outbox = fixture.outbox("f")
            let sender = try fixture.sender(outbox)
            try await outbox.join(["a"])
            var backlog = ProjectBacklog(project: "a", now: .now)
            backlog.waiting = try await outbox.read("a", upTo: 512)
            let alone = backlog
            async let refused = sender.send(alone)
            try await fixture.next().settle(413)
            backlog = await refused
            #expect(backlog.waiting.map(\.id) == [bad] && !backlog.hasRoom)
            let good = try await fixture.leave(text: #"{"good":"\#(String(repeating: "x", count: size))"}"#)
            backlog.waiting += try await outbox.read("a", upTo: 512)
            let inCompany = backlog
            async let settled = sender.send(inCompany)
            var isTaken = false
            while !isTaken {
                let call = try await fixture.next()
                isTaken = try !call.text().contains("malformed")
                call.settle(isTaken ? 200 : 413)
            }
            #expect(await settled.waiting.isEmpty)
            #expect(try await fixture.waiting() == 0)
            #expect(try await fixture.redis.send(RedisCommand("EXISTS", Keys.span(bad), Keys.span(good))).int == 1)
        }
    }

    @Test func `a store that stands still for one project holds up no other`() async throws {
        try await ExportFixture.run { fixture in
            let held = try await fixture.leave("a")
            try await fixture.withExporter(of: ["a", "b"]) {
                let first = try await fixture.next()
                #expect(try first.ids() == [held.description])
                for _ in 0..<3 {
                    let id = try await fixture.leave("b")
                    let call = try await fixture.next()
                    #expect(try call.ids() == [id.description])
                    call.settle(200)
                    try await fixture.untilEmpty("b")
                }
                first.settle(200)
                try await fixture.untilEmpty("a")
            }
        }
    }

    /// It is left alone as long as it asks, or a second; and nothing is lost.
    @Test(arguments: [503, 429, 500, 408])
    func `a store that cannot take them is asked again`(status: Int) async throws {
        try await ExportFixture.run { fixture in
            let id = try await fixture.leave()
            try await fixture.withExporter {
                let asked = ContinuousClock.now
                try await fixture.next().settle(status, status == 429 ? [HeaderField("retry-after", "2")] : [])
                let again = try await fixture.next()
                #expect(asked.duration(to: .now) >= .seconds(status == 429 ? 2 : 1))
                #expect(try again.ids() == [id.description])
                again.settle(200)
                try await fixture.untilEmpty()
            }
        }
    }

    @Test func `a connection that breaks loses nothing`() async throws {
        try await ExportFixture.run { fixture in
            let id = try await fixture.leave()
            try await fixture.withExporter {
                try await fixture.next().fail(.closedEarly, sent: true)
                let again = try await fixture.next()
                #expect(try again.ids() == [id.description])
                again.settle(200)
                try await fixture.untilEmpty()
            }
        }
    }

    @Test func `wrong keys of one project hold up no other`() async throws {
        try await ExportFixture.run { fixture in
            let refused = try await fixture.leave("a")
            try await fixture.withExporter(of: ["a", "b"]) {
                let first = try await fixture.next()
                #expect(try first.ids() == [refused.description])
                first.settle(401)
                await first.isLeft()
                for _ in 0..<3 {
                    let id = try await fixture.leave("b")
                    let call = try await fixture.next()
                    #expect(try call.ids() == [id.description])
                    call.settle(200)
                    try await fixture.untilEmpty("b")
                }
                #expect(try await fixture.waiting("a") == 1, "its span waits")
            }
        }
    }

    @Test func `who stops hands back what it has`() async throws {
        try await ExportFixture.run { fixture in
            let id = try await fixture.leave()
            try await fixture.withExporter {
                let call = try await fixture.next()
                call.settle(503)
                await call.isLeft()
            }
            let left = try await fixture.redis.send(
                RedisCommand("XPENDING", Keys.traces(project: "a"), Keys.exporterGroup, "IDLE", 60_000, "-", "+", 10))
            #expect(left.array?.count == 1, "as if it was dead for a minute")
            try await fixture.withExporter {
                let call = try await fixture.next()
                #expect(try call.ids() == [id.description])
                call.settle(200)
                try await fixture.untilEmpty()
            }
        }
    }

    @Test func `what a dead exporter was given is taken over`() async throws {
        try await ExportFixture.run { fixture in
            let id = try await fixture.leave()
            let dead = fixture.outbox("dead")
            try await dead.join(["a"])
            let given = try await dead.read(["a"], upTo: 10, wait: .milliseconds(10))
            #expect(given.map(\.id) == [id])
            try await fixture.neglect(given, by: "dead")
            try await fixture.withExporter {
                let call = try await fixture.next()
                #expect(try call.ids() == [id.description])
                call.settle(200)
                try await fixture.untilEmpty()
            }
        }
    }

    /// A backlog may have work for minutes.
    @Test func `what an exporter is still at is not taken over`() async throws {
        try await ExportFixture.run { fixture in
            try await fixture.leave()
            let outbox = fixture.outbox("slow")
            try await outbox.join(["a"])
            let given = try await outbox.read("a", upTo: 10)
            try await fixture.neglect(given, by: "slow")
            try await outbox.hold(given)
            #expect(try await fixture.outbox("other").takeOver("a", upTo: 10).isEmpty)
        }
    }

    /// What cannot be sent any more is said and does not stand in the way.
    @Test func `a span that is gone or damaged is given up`() async throws {
        try await ExportFixture.run { fixture in
            let gone = try await fixture.leave()
            let damaged = try await fixture.leave()
            let good = try await fixture.leave()
            _ = try await fixture.redis.send(RedisCommand("DEL", Keys.span(gone)))
            _ = try await fixture.redis.send(RedisCommand("SET", Keys.span(damaged), "garbage"))
            _ = try await fixture.redis.send(
                RedisCommand("XADD", Keys.traces(project: "a"), "*", "i", "none", "n", "-5"))
            try await fixture.withExporter {
                let call = try await fixture.next()
                #expect(try call.ids() == [good.description])
                call.settle(200)
                try await fixture.untilEmpty()
                #expect(try await fixture.bytes() == 0)
            }
        }
    }
}
