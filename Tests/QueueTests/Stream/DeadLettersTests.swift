import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// Dead letters as they are read again.
@Suite(.timeLimit(.minutes(1))) struct DeadLettersTests {
    /// Gives a job up.
    private func bury(_ job: Job, _ fixture: QueueFixture, because reason: String) async throws {
        let stream = try await fixture.forwarder("one")
        _ = try await fixture.admission().enqueue(job, givingTo: nil)
        let delivery = try #require(try await fixture.take(stream).first)
        let ended = try await stream.finish(
            delivery, id: job.insertionID, responseKey: nil, sealed: nil, ending: .init(deadLetterReason: reason))
        #expect(ended)
    }

    @Test func `the newest come first`() async throws {
        try await QueueFixture.run { fixture in
            for number in 0..<5 { try await bury(fixture.job(), fixture, because: "\(number)") }
            let letters = DeadLetters(redis: fixture.redis)
            let first = try await letters.page(before: nil, limit: 2)
            #expect(first.map(\.reason) == ["4", "3"])
            let next = try await letters.page(before: first.last?.entry, limit: 10)
            #expect(next.map(\.reason) == ["2", "1", "0"])
            let now = try await fixture.send("TIME")[0].int ?? 0
            #expect(first.map { Int($0.time.milliseconds) / 1000 }.allSatisfy { $0 > now - 60 && $0 <= now + 1 })
        }
    }

    @Test func `a letter has its job`() async throws {
        try await QueueFixture.run { fixture in
            let job = fixture.job(project: "p", body: Array(#"{"model":"m"}"#.utf8))
            try await bury(job, fixture, because: "why")
            let letters = DeadLetters(redis: fixture.redis)
            let letter = try #require(try await letters.page(before: nil, limit: 1).first)
            #expect(letter.insertionID == job.insertionID.description && letter.bytes > job.body.count)
            let found = try #require(letter.job(opening: fixture.envelope))
            #expect(found.job.body == job.body && found.job.project == "p" && found.queue == .completions)
            #expect(letter.job(opening: Envelope(key: .random())) == nil)
            let again = try await letters.letter(at: letter.entry)
            #expect(again == letter)
            let removed = try await letters.remove(letter.entry)
            let removedAgain = try await letters.remove(letter.entry)
            let gone = try await letters.letter(at: letter.entry)
            #expect(removed && !removedAgain && gone == nil)
        }
    }

    @Test func `what is not kept is told`() async throws {
        try await QueueFixture.run { fixture in
            var withheld = fixture.job()
            withheld.logging = .withheld
            try await bury(withheld, fixture, because: "withheld")
            try await bury(fixture.job(body: [UInt8](repeating: 7, count: 100_000)), fixture, because: "large")
            let found = try await DeadLetters(redis: fixture.redis).page(before: nil, limit: 9)
            #expect(found.map(\.reason) == ["large", "withheld"])
            #expect(found.map(\.content) == [.none, .withheld])
            #expect(found.allSatisfy { $0.job(opening: fixture.envelope) == nil })
        }
    }

    /// Others can write to Redis.
    @Test func `garbage is a letter without a job`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.send("XADD", Keys.dead, "*", "x", "y")
            try await fixture.send("XADD", Keys.dead, "*", "i", "no id", "p", "junk", "bytes", "many")
            let found = try await DeadLetters(redis: fixture.redis).page(before: nil, limit: 9)
            #expect(found.map(\.insertionID) == ["no id", ""] && found.map(\.bytes) == [0, 0])
            #expect(found.allSatisfy { $0.job(opening: fixture.envelope) == nil })
        }
    }

    @Test(arguments: [
        ("1790000000000-0", true), ("0-18446744073709551615", true), ("0-18446744073709551616", false), ("1", false),
        ("", false), ("-", false), ("+", false), ("1-", false), ("1-2-3", false), ("(1-2", false), ("١-0", false),
    ])
    func `an entry's ID is two numbers`(text: String, isOne: Bool) { #expect(DeadLetters.isEntry(text) == isOne) }
}
