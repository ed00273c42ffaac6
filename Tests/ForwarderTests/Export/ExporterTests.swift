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
    @Test func aSpanIsSentAsOTLPAndKeptForAnHour() async throws {
        try await ExportBench.run { bench in
            let id = try await bench.leave()
            try await bench.withExporter {
                let call = try await bench.next()
                #expect(
                    call.request.method == "POST" && call.request.url == "http://store:3000/api/public/otel/v1/traces")
                // base64("pk:sk")
                #expect(call.request.headers.first(named: "authorization") == "Basic cGs6c2s=")
                #expect(call.request.headers.first(named: "x-langfuse-ingestion-version") == "4")
                #expect(call.request.headers.first(named: "content-encoding") == "gzip")
                let text = try call.text()
                #expect(text.contains(#""spans":[{"id":"\#(id)"}]"#))
                call.settle(200)
                try await bench.untilEmpty()
                #expect(try await bench.bytes() == 0)
                let life = try await bench.redis.send(RedisCommand("TTL", Keys.span(id))).int ?? 0
                #expect((3500...3600).contains(life), "kept, to be sent again")
            }
        }
    }

    @Test func whatWaitsLeavesTogether() async throws {
        try await ExportBench.run { bench in
            var ids: Set<String> = []
            for _ in 0..<20 { ids.insert(try await bench.leave().description) }
            try await bench.withExporter {
                let call = try await bench.next()
                #expect(try call.ids() == ids)
                call.settle(200)
                try await bench.untilEmpty()
            }
            #expect(bench.store.count == 1)
        }
    }

    @Test func aBatchStaysBelowLangfusesBound() async throws {
        try await ExportBench.run { bench in
            let text = #"{"x":"\#(String(repeating: "x", count: 1_500_000))"}"#
            for _ in 0..<4 { try await bench.leave(text: text) }
            try await bench.withExporter {
                var sizes: [Int] = []
                while try await bench.waiting() > 0 {
                    let call = try await bench.next()
                    sizes.append(try call.text().utf8.count)
                    call.settle(200)
                    await call.isLeft()
                    let settled = 2 * sizes.count
                    try await eventually { try await bench.waiting() <= max(4 - settled, 0) }
                }
                #expect(
                    sizes.count == 2 && sizes.allSatisfy { $0 > 3_000_000 && $0 <= ExportBatch.maximumBytes },
                    "\(sizes)")
            }
        }
    }

    @Test func oneMalformedSpanHoldsUpNoOther() async throws {
        try await ExportBench.run { bench in
            var good: Set<String> = []
            for _ in 0..<4 { good.insert(try await bench.leave().description) }
            let bad = try await bench.leave(text: #"{"malformed":1}"#)
            for _ in 0..<4 { good.insert(try await bench.leave().description) }
            try await bench.withExporter {
                var accepted: Set<String> = []
                while accepted != good {
                    let call = try await bench.next()
                    let isBad = try call.text().contains("malformed")
                    if !isBad { accepted.formUnion(try call.ids()) }
                    call.settle(isBad ? 400 : 200)
                }
                // The bad one was sent alone before the last of the others, and is given up.
                try await bench.untilEmpty()
                #expect(
                    try await bench.redis.send(RedisCommand("EXISTS", Keys.span(bad))).int == 0, "nobody sends it again"
                )
                #expect(try await bench.bytes() == 0)
            }
        }
    }

    /// A server that was asked for HTTPS in plain text, a proxy that wants to be paid: the spans are not wrong, so they
    /// wait.
    @Test(arguments: [(400, 5), (402, 1), (406, 1), (413, 5), (415, 1), (421, 1), (422, 5), (426, 1)])
    func aPlaceThatTakesNothingLosesNothing(status: Int, calls: Int) async throws {
        try await ExportBench.run { bench in
            var spans: [InsertionID] = []
            for _ in 0..<3 { spans.append(try await bench.leave()) }
            try await bench.withExporter {
                for _ in 0..<calls { try await bench.next().settle(status) }
                try await eventually { try await bench.redis.send(RedisCommand("EXISTS", Keys.traceTrouble)).int == 1 }
                #expect(try await bench.waiting() == 3)
                var kept = RedisCommand("EXISTS")
                kept.append(contentsOf: spans.map { Keys.span($0) })
                #expect(try await bench.redis.send(kept).int == 3)
            }
            #expect(bench.store.count == calls, "it is left alone for a minute")
        }
    }

    /// However many there are, it takes few calls to see that none is taken.
    @Test func aPlaceThatTakesNothingIsNotAskedForEachSpan() async throws {
        try await ExportBench.run { bench in
            for _ in 0..<200 { try await bench.leave() }
            let outbox = bench.outbox("f")
            var lane = ExportLane(project: "a", now: .now)
            try await outbox.join(["a"])
            lane.waiting = try await outbox.read("a", upTo: 512)
            let sender = try bench.sender(outbox)
            async let after = sender.send(lane)
            for _ in 0..<64 { try await bench.next().settle(400) }
            #expect(await after.waiting.count == 200 && bench.store.count == 64)
        }
    }

    /// One that is refused alone waits until another one shows whether any is taken; even one that is so large that it
    /// always goes alone.
    @Test(arguments: [1, 4_000_000]) func aSpanRefusedAloneWaitsForCompany(size: Int) async throws {
        try await ExportBench.run { bench in
            let bad = try await bench.leave(text: #"{"malformed":"\#(String(repeating: "x", count: size))"}"#)
            let outbox = bench.outbox("f")
            let sender = try bench.sender(outbox)
            try await outbox.join(["a"])
            var lane = ExportLane(project: "a", now: .now)
            lane.waiting = try await outbox.read("a", upTo: 512)
            let alone = lane
            async let refused = sender.send(alone)
            try await bench.next().settle(413)
            lane = await refused
            #expect(lane.waiting.map(\.id) == [bad] && !lane.hasRoom)
            let good = try await bench.leave(text: #"{"good":"\#(String(repeating: "x", count: size))"}"#)
            lane.waiting += try await outbox.read("a", upTo: 512)
            let inCompany = lane
            async let settled = sender.send(inCompany)
            var isTaken = false
            while !isTaken {
                let call = try await bench.next()
                isTaken = try !call.text().contains("malformed")
                call.settle(isTaken ? 200 : 413)
            }
            #expect(await settled.waiting.isEmpty)
            #expect(try await bench.waiting() == 0)
            #expect(try await bench.redis.send(RedisCommand("EXISTS", Keys.span(bad), Keys.span(good))).int == 1)
        }
    }

    @Test func aStoreThatStandsStillForOneProjectHoldsUpNoOther() async throws {
        try await ExportBench.run { bench in
            let held = try await bench.leave("a")
            try await bench.withExporter(of: ["a", "b"]) {
                let first = try await bench.next()
                #expect(try first.ids() == [held.description])
                for _ in 0..<3 {
                    let id = try await bench.leave("b")
                    let call = try await bench.next()
                    #expect(try call.ids() == [id.description])
                    call.settle(200)
                    try await bench.untilEmpty("b")
                }
                first.settle(200)
                try await bench.untilEmpty("a")
            }
        }
    }

    /// It is left alone as long as it asks, or a second; and nothing is lost.
    @Test(arguments: [503, 429, 500, 408])
    func aStoreThatCannotTakeThemIsAskedAgain(status: Int) async throws {
        try await ExportBench.run { bench in
            let id = try await bench.leave()
            try await bench.withExporter {
                let asked = ContinuousClock.now
                try await bench.next().settle(status, status == 429 ? [HeaderField("retry-after", "2")] : [])
                let again = try await bench.next()
                #expect(asked.duration(to: .now) >= .seconds(status == 429 ? 2 : 1))
                #expect(try again.ids() == [id.description])
                again.settle(200)
                try await bench.untilEmpty()
            }
        }
    }

    @Test func aConnectionThatBreaksLosesNothing() async throws {
        try await ExportBench.run { bench in
            let id = try await bench.leave()
            try await bench.withExporter {
                try await bench.next().fail(.closedEarly, sent: true)
                let again = try await bench.next()
                #expect(try again.ids() == [id.description])
                again.settle(200)
                try await bench.untilEmpty()
            }
        }
    }

    @Test func wrongKeysOfOneProjectHoldUpNoOther() async throws {
        try await ExportBench.run { bench in
            let refused = try await bench.leave("a")
            try await bench.withExporter(of: ["a", "b"]) {
                let first = try await bench.next()
                #expect(try first.ids() == [refused.description])
                first.settle(401)
                await first.isLeft()
                for _ in 0..<3 {
                    let id = try await bench.leave("b")
                    let call = try await bench.next()
                    #expect(try call.ids() == [id.description])
                    call.settle(200)
                    try await bench.untilEmpty("b")
                }
                #expect(try await bench.waiting("a") == 1, "its span waits")
            }
        }
    }

    @Test func whoStopsHandsBackWhatItHas() async throws {
        try await ExportBench.run { bench in
            let id = try await bench.leave()
            try await bench.withExporter {
                let call = try await bench.next()
                call.settle(503)
                await call.isLeft()
            }
            let left = try await bench.redis.send(
                RedisCommand("XPENDING", Keys.traces(project: "a"), Keys.exporterGroup, "IDLE", 60_000, "-", "+", 10))
            #expect(left.array?.count == 1, "as if it was dead for a minute")
            try await bench.withExporter {
                let call = try await bench.next()
                #expect(try call.ids() == [id.description])
                call.settle(200)
                try await bench.untilEmpty()
            }
        }
    }

    @Test func whatADeadExporterWasGivenIsTakenOver() async throws {
        try await ExportBench.run { bench in
            let id = try await bench.leave()
            let dead = bench.outbox("dead")
            try await dead.join(["a"])
            let given = try await dead.read(["a"], upTo: 10, wait: .milliseconds(10))
            #expect(given.map(\.id) == [id])
            try await bench.neglect(given, by: "dead")
            try await bench.withExporter {
                let call = try await bench.next()
                #expect(try call.ids() == [id.description])
                call.settle(200)
                try await bench.untilEmpty()
            }
        }
    }

    /// A lane may have work for minutes.
    @Test func whatAnExporterIsStillAtIsNotTakenOver() async throws {
        try await ExportBench.run { bench in
            try await bench.leave()
            let outbox = bench.outbox("slow")
            try await outbox.join(["a"])
            let given = try await outbox.read("a", upTo: 10)
            try await bench.neglect(given, by: "slow")
            try await outbox.hold(given)
            #expect(try await bench.outbox("other").takeOver("a", upTo: 10).isEmpty)
        }
    }

    /// What cannot be sent any more is said and does not stand in the way.
    @Test func aSpanThatIsGoneOrDamagedIsGivenUp() async throws {
        try await ExportBench.run { bench in
            let gone = try await bench.leave()
            let damaged = try await bench.leave()
            let good = try await bench.leave()
            _ = try await bench.redis.send(RedisCommand("DEL", Keys.span(gone)))
            _ = try await bench.redis.send(RedisCommand("SET", Keys.span(damaged), "garbage"))
            _ = try await bench.redis.send(RedisCommand("XADD", Keys.traces(project: "a"), "*", "i", "none", "n", "-5"))
            try await bench.withExporter {
                let call = try await bench.next()
                #expect(try call.ids() == [good.description])
                call.settle(200)
                try await bench.untilEmpty()
                #expect(try await bench.bytes() == 0)
            }
        }
    }
}
