import Common
import Queue
import Redis
import TestSupport
import Testing
import Upstream

@testable import Forwarder

/// Jobs that this forwarder cannot read: those that another one may be able to read are left for it.
@Suite(.timeLimit(.minutes(5))) struct LeftJobTests {
    enum Case: String, CaseIterable, Sendable {
        case laterVersion = "of the next version"
        case farVersion = "of a version far ahead"
        case otherKey = "sealed with another key"
        case otherKeyAndVersion = "sealed with another key, of the next version"
        case otherKeyDamaged = "sealed with another key and damaged"

        func payload(_ fixture: ForwarderFixture, _ id: InsertionID) throws -> [UInt8] {
            let isOurs = self == .laterVersion || self == .farVersion
            var sealed = try (isOurs ? fixture.envelope : Envelope(key: .random())).seal(
                Array("{}".utf8), for: .job(id))
            switch self {
            case .laterVersion, .otherKeyAndVersion: sealed[0] = 3
            case .farVersion: sealed[0] = 200
            case .otherKeyDamaged: sealed[sealed.count - 1] ^= 1
            case .otherKey: break
            }
            return sealed
        }
    }

    private func add(
        _ payload: [UInt8], to fixture: ForwarderFixture, id: InsertionID, entry: String = "*", isNamed: Bool = false
    ) async throws {
        var command = RedisCommand("XADD", Keys.jobs, entry, "i", id.description, "p", payload)
        if isNamed { command.append(contentsOf: ["j", "local", "r", ForwarderFixture.rollout]) }
        _ = try await fixture.redis.send(command)
    }

    /// Who fetches the answer is told what happened.
    private func expectLost(_ id: InsertionID, _ fixture: ForwarderFixture) async throws {
        let entries = try await fixture.redis.send(RedisCommand("XRANGE", Keys.response(id), "-", "+"))
        let sealed = try #require(entries[0][1][3].bytes)
        let frame = try ResponseFrame(wireBytes: fixture.envelope.open(sealed, for: .frame(id)))
        guard case .brokenOff(let error)? = frame.end else {
            Issue.record("\(frame)")
            return
        }
        #expect(error.code == "job_lost" && error.status == 502 && error.shouldRetry == false, "\(error)")
        #expect(try await fixture.redis.send(RedisCommand("TTL", Keys.response(id))).int ?? 0 > 0)
    }

    @Test(arguments: Case.allCases) func `is left for others and holds up nothing`(what: Case) async throws {
        try await ForwarderFixture.run { fixture in
            let id = InsertionIDGenerator().next()
            try await fixture.withForwarder { forwarder in
                try await add(what.payload(fixture, id), to: fixture, id: id)
                for _ in 0..<2 {
                    let job = try await fixture.enqueue()
                    try #require(await fixture.upstream.next()).answer().send("{}").end()
                    #expect(try await fixture.answers.next(of: job).head?.status == 200)
                    await forwarder.jobs.waitUntilEmpty()
                    try await forwarder.reclaim()
                }
                #expect(forwarder.jobs.count == 0, "it is not taken again")
                #expect(try await fixture.exists(Keys.dead) == false)
                let newer = try await fixture.member("newer")
                let taken = try await newer.claim(upTo: 10, running: [])
                #expect(taken.map(\.insertionID) == [id.description] && taken.map(\.count) == [1])
            }
            #expect(fixture.upstream.count == 2)
        }
    }

    /// Nothing can be waiting for it: it is put aside, and the operator sees why.
    @Test(arguments: Case.allCases) func `is a dead letter after its time`(what: Case) async throws {
        try await ForwarderFixture.run { fixture in
            let ids = InsertionIDGenerator()
            let (id, other) = (ids.next(), ids.next())
            _ = try await fixture.redis.send(
                RedisCommand("SADD", ForwarderFixture.rollout, id.description, other.description))
            try await add(
                what.payload(fixture, id), to: fixture, id: id,
                entry: "\((Timestamp.now - .seconds(400)).milliseconds)-0",
                isNamed: true)
            try await fixture.withForwarder { _ in
                try await eventually {
                    let lengths = try await (fixture.length(Keys.jobs), fixture.length(Keys.dead))
                    return lengths == (0, 1)
                }
            }
            let letter = try await fixture.redis.send(RedisCommand("XRANGE", Keys.dead, "-", "+"))[0][1]
            let reason = try #require(letter[1].string)
            #expect(reason.contains("found none that reads it within REQUEST_TIMEOUT"), "\(reason)")
            #expect(reason.contains("version") == (what == .laterVersion || what == .farVersion), "\(reason)")
            #expect(letter[5].string == id.description)
            #expect(try await fixture.members() == [other.description], "it left its rollout, and no other did")
            try await expectLost(id, fixture)
        }
    }

    /// What was sealed with our key and is not as it was, and what nobody sealed, is given up at once.
    @Test(arguments: ["damaged", "moved", "garbage", "no job"]) func `what cannot be read is given up`(
        what: String
    ) async throws {
        try await ForwarderFixture.run { fixture in
            let ids = InsertionIDGenerator()
            let id = ids.next()
            var sealed = try fixture.envelope.seal(Array("{}".utf8), for: .job(what == "moved" ? ids.next() : id))
            if what == "damaged" { sealed[sealed.count - 1] ^= 1 }
            _ = try await fixture.redis.send(RedisCommand("SADD", ForwarderFixture.rollout, id.description))
            try await add(
                what == "garbage" ? Array(repeating: 0x5B, count: 100) : sealed, to: fixture, id: id, isNamed: true)
            try await fixture.withForwarder { _ in try await eventually { try await fixture.length(Keys.dead) == 1 } }
            #expect(try await fixture.length(Keys.jobs) == 0)
            #expect(try await fixture.members().isEmpty)
            try await expectLost(id, fixture)
        }
    }
}
