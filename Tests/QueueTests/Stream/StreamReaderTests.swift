import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

/// What people see of the streams.
@Suite(.timeLimit(.minutes(1))) struct StreamReaderTests {
    private static let streams: [StreamReader.Stream] = [
        .init(.completions), .init(.verifications), .init(key: Keys.requests),
    ]

    private func look(_ fixture: QueueFixture) async throws -> [StreamState] {
        try await StreamReader(redis: fixture.redis).states(of: Self.streams)
    }

    @Test func `what is not there is empty`() async throws {
        try await QueueFixture.run { fixture in
            // Something else under the name is not a stream either.
            try await fixture.send("SET", Keys.requests, "x")
            let found = try await look(fixture)
            #expect(found == Self.streams.map { StreamState(key: $0.key) })
        }
    }

    @Test func `waiting and pending are told apart`() async throws {
        try await QueueFixture.run { fixture in
            let (one, two) = (try await fixture.forwarder("one"), try await fixture.forwarder("two"))
            for _ in 0..<5 { _ = try await fixture.admission().enqueue(fixture.job(), givingTo: nil) }
            #expect(try await fixture.take(one, upTo: 2).count == 2)
            #expect(try await fixture.take(two, upTo: 1).count == 1)
            try await two.leave()
            let found = try await look(fixture)[0]
            #expect(found.length == 5 && found.age ?? -1 >= 0)
            let group = try #require(found.groups.first)
            #expect(group.name == "forwarders" && group.lag == 2 && group.pending == 3 && group.workerCount == 2)
            #expect(group.workers.map(\.name) == ["one", "two"] && group.workers.map(\.pending) == [2, 1])
            #expect(group.workers.map(\.isAlive) == [true, false])
        }
    }

    /// The age is told by Redis's clock, as the entries' ids are.
    @Test func `the oldest tells its age`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.send("XADD", Keys.requests, "1000-0", "i", "x")
            let time = try await fixture.send("TIME")
            let before = (time[0].int ?? 0) * 1000 - 1000
            let found = try await look(fixture)[2]
            #expect(found.length == 1 && found.groups.isEmpty)
            #expect(found.age ?? 0 >= before && found.age ?? .max < before + 60_000)
        }
    }

    @Test func `many workers are counted`() async throws {
        try await QueueFixture.run { fixture in
            try await fixture.send("XGROUP", "CREATE", Keys.requests, "g", "0", "MKSTREAM")
            for number in 0..<StreamReader.workers + 3 {
                try await fixture.send("XGROUP", "CREATECONSUMER", Keys.requests, "g", "w\(number)")
            }
            let group = try #require(try await look(fixture)[2].groups.first)
            #expect(group.workers.count == StreamReader.workers && group.workerCount == StreamReader.workers + 3)
            #expect(group.workers.allSatisfy { $0.isAlive == nil })
        }
    }
}
