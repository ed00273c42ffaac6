import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// An entry that a worker cannot read, and another one may.
@Suite(.timeLimit(.minutes(5))) struct LeftEntriesTests {
    @Test func `is anothers at once and its own no more`() async throws {
        try await QueueFixture.run { fixture in
            let (old, new) = try await (fixture.forwarder("old"), fixture.forwarder("new"))
            _ = try await fixture.admission().enqueue(fixture.job())
            let read = try await fixture.take(old)
            #expect(try await old.leave(read[0]))
            for _ in 0..<3 { #expect(try await old.claim(upTo: 10, running: []).isEmpty) }
            let taken = try await new.claim(upTo: 10, running: [])
            #expect(taken.map(\.entry) == read.map(\.entry))
            #expect(taken.map(\.count) == [1], "the first delivery does not count")
        }
    }

    /// However often it goes from one to the other, it is not one of the deliveries after which a job is given up.
    @Test func `counts no delivery`() async throws {
        try await QueueFixture.run { fixture in
            _ = try await fixture.admission().enqueue(fixture.job())
            let first = try await fixture.forwarder("0")
            #expect(try await first.leave(try #require(try await fixture.take(first).first)))
            for number in 1...5 {
                let next = try await fixture.forwarder("\(number)")
                let taken = try await next.claim(upTo: 10, running: [])
                #expect(taken.map(\.count) == [1])
                #expect(try await next.leave(try #require(taken.first)))
            }
        }
    }

    /// What others left behind is found, however much lies before it.
    @Test func `does not stand before others`() async throws {
        try await QueueFixture.run { fixture in
            let old = try await fixture.forwarder("old")
            for _ in 0..<20 { _ = try await fixture.admission().enqueue(fixture.job()) }
            let read = try await fixture.take(old)
            for delivery in read { #expect(try await old.leave(delivery)) }
            _ = try await fixture.admission().enqueue(fixture.job())
            let dead = try await fixture.forwarder("dead")
            let lost = try await fixture.take(dead)
            try await dead.release(lost.map(\.entry))
            #expect(lost.count == 1)
            #expect(try await old.claim(upTo: 1, running: []).map(\.entry) == lost.map(\.entry))
        }
    }

    @Test(arguments: [(290, true), (304, true), (306, false), (86_400, false)])
    func `is given up when nothing waits for it`(age: Int, isLeft: Bool) async throws {
        try await QueueFixture.run { fixture in
            let old = try await fixture.forwarder("old")
            let entry = "\((Timestamp.now - .seconds(age)).milliseconds)-0"
            try await fixture.send("XADD", Keys.jobs, entry, "i", "x", "p", "y")
            let delivery = try #require(try await fixture.take(old).first)
            #expect(try await old.leave(delivery) == isLeft)
            let holders = try await fixture.send("XPENDING", Keys.jobs, Keys.jobGroup, "-", "+", 10).array ?? []
            #expect(holders.map { $0[1].string } == [isLeft ? "released" : "old"])
        }
    }

    /// One that was taken over by another one meanwhile stays that one's.
    @Test func `is not taken from another`() async throws {
        try await QueueFixture.run { fixture in
            let (old, new) = try await (fixture.forwarder("old"), fixture.forwarder("new"))
            _ = try await fixture.admission().enqueue(fixture.job())
            let read = try await fixture.take(old)
            try await old.leave()
            #expect(try await new.claim(upTo: 1, running: []).count == 1)
            #expect(try await old.leave(read[0]))
            let holders = try await fixture.send("XPENDING", Keys.jobs, Keys.jobGroup, "-", "+", 10).array ?? []
            #expect(holders.map { $0[1].string } == ["new"])
        }
    }

    @Test func `remembers up to its bound and for its time`() {
        let aside = EntriesForOthers(limit: 3)
        let now = ContinuousClock.now
        for number in 0..<5 { aside.add("\(number)", for: .seconds(number + 1), now: now) }
        aside.add("4", for: .seconds(5), now: now)
        #expect(aside.entries(now: now) == ["2", "3", "4"])
        #expect(aside.entries(now: now + .seconds(4)) == ["4"])
        #expect(aside.entries(now: now + .seconds(5)).isEmpty)
    }
}
