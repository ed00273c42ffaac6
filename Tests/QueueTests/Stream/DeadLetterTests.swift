import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

@Suite(.timeLimit(.minutes(5))) struct DeadLetterTests {
    private static let kept = 64 << 10

    /// Gives an entry up that was written with these arguments after its id.
    private func letter(_ fixture: QueueFixture, stream: JobStream, fields: [[UInt8]]) async throws -> [RedisValue] {
        var command = RedisCommand("XADD", Keys.jobs, "*")
        command.append(contentsOf: fields)
        _ = try await fixture.redis.send(command)
        let delivery = try #require(try await fixture.take(stream).first)
        #expect(
            try await stream.finish(
                delivery, id: nil, responseKey: nil, sealed: nil, ending: .init(deadLetterReason: "why")))
        let last = try await fixture.send("XREVRANGE", Keys.dead, "+", "-", "COUNT", 1)
        let entry = last[0][1].array ?? []
        #expect(
            entry.prefix(4) == [
                .bytes(Array("reason".utf8)), .bytes(Array("why".utf8)), .bytes(Array("entry".utf8)),
                .bytes(Array(delivery.entry.utf8)),
            ])
        return entry
    }

    /// The payload is kept up to the bound, whatever else the entry holds and however often.
    @Test func `keeps a small payload only`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let p = Array("p".utf8)
            let (small, atBound) = ([UInt8](repeating: 1, count: 3), [UInt8](repeating: 2, count: Self.kept))
            let huge = [UInt8](repeating: 3, count: Self.kept + 1)
            #expect(
                try await letter(fixture, stream: stream, fields: [p, small]).dropFirst(8) == [
                    .bytes(p), .bytes(small),
                ])
            #expect(
                try await letter(fixture, stream: stream, fields: [p, atBound]).dropFirst(8) == [
                    .bytes(p), .bytes(atBound),
                ])
            #expect(try await letter(fixture, stream: stream, fields: [p, huge]).count == 8)
            #expect(
                try await letter(fixture, stream: stream, fields: [p, huge, p, small]).dropFirst(8) == [
                    .bytes(p), .bytes(small),
                ])
            #expect(try await letter(fixture, stream: stream, fields: [Array("other".utf8), huge]).count == 8)
            #expect(
                try await letter(fixture, stream: stream, fields: Array(repeating: p, count: 20_000)).dropFirst(8) == [
                    .bytes(p), .bytes(p),
                ])
        }
    }

    @Test func `keeps the newest up to the limit`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one", deadLetterLimit: 3)
            for number in 0..<10 {
                _ = try await letter(fixture, stream: stream, fields: [Array("p".utf8), [UInt8(number)]])
            }
            let letters = try await fixture.send("XRANGE", Keys.dead, "-", "+").array ?? []
            #expect(letters.map { $0[1][9].bytes } == [[7], [8], [9]])
        }
    }

    /// Others can write to Redis. What they put on the stream is an entry that is not a job, and never a trap.
    @Test func `garbage is no job`() async throws {
        try await QueueFixture.run { fixture in
            let stream = try await fixture.forwarder("one")
            let job = fixture.job(body: Array(repeating: 7, count: 100))
            let id = job.insertionID
            let sealed = try fixture.envelope.seal(job.wireBytes, for: .job(id))
            let other = fixture.ids.next()
            let entries: [([[UInt8]], DeliveryError)] = [
                ([[], []], .noInsertionID),
                ([Array("x".utf8), Array("y".utf8)], .noInsertionID),
                ([Array("i".utf8), Array("no id".utf8), Array("p".utf8), sealed], .noInsertionID),
                ([Array("i".utf8), [0xFF, 0xFE], Array("p".utf8), sealed], .noInsertionID),
                ([Array("i".utf8), Array(id.description.utf8)], .envelope(.notAnEnvelope)),
                ([Array("i".utf8), Array(id.description.utf8), Array("p".utf8), []], .envelope(.notAnEnvelope)),
                (
                    [Array("i".utf8), Array(id.description.utf8), Array("p".utf8), [0] + job.wireBytes],
                    .envelope(.notAnEnvelope)
                ),
                (
                    [
                        Array("i".utf8), Array(id.description.utf8), Array("p".utf8),
                        Array(repeating: 1, count: 8 << 20),
                    ], .envelope(.otherKey)
                ),
                ([Array("i".utf8), Array(other.description.utf8), Array("p".utf8), sealed], .envelope(.wrongSeal)),
                (
                    [
                        Array("i".utf8), Array(id.description.utf8), Array("p".utf8),
                        try Envelope(key: .random()).seal(job.wireBytes, for: .job(id)),
                    ], .envelope(.otherKey)
                ),
                (
                    [
                        Array("i".utf8), Array(id.description.utf8), Array("p".utf8),
                        try fixture.envelope.seal([1, 200], for: .job(id)),
                    ],
                    .wire(.truncated)
                ),
                (
                    [
                        Array("i".utf8), Array(id.description.utf8), Array("p".utf8),
                        try fixture.envelope.seal(Array(String(repeating: "[", count: 100_000).utf8), for: .job(id)),
                    ], .wire(.truncated)
                ),
                (
                    [
                        Array("i".utf8), Array(other.description.utf8), Array("p".utf8),
                        try fixture.envelope.seal(job.wireBytes, for: .job(other)),
                    ],
                    .otherInsertionID
                ),
            ]
            for (fields, expected) in entries {
                var command = RedisCommand("XADD", Keys.jobs, "*")
                command.append(contentsOf: fields)
                _ = try await fixture.redis.send(command)
                let delivery = try #require(try await fixture.take(stream).first)
                #expect(throws: expected) { try delivery.job(opening: fixture.envelope) }
            }
        }
    }
}
