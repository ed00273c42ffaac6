import TestSupport
import Testing

@testable import Common
@testable import Queue
@testable import Redis

@Suite(.timeLimit(.minutes(5))) struct JobSignalsTests {
    @Test func `keys hold what channels tell`() async throws {
        try await withRedisServer { server in
            try await withRedisClient(server.endpoint) { redis in
                try await withRedisSubscriber(server.endpoint, channels: [Keys.cancellations, Keys.credits]) { stream in
                    var events = stream.makeAsyncIterator()
                    #expect(await events.next() == .subscribed)
                    let signals = JobSignals(redis: redis)
                    let ids = InsertionIDGenerator()
                    let (one, two) = (ids.next(), ids.next())
                    try await signals.cancel(one, life: .seconds(300))
                    try await signals.cancel(two, handedOver: 512, life: .seconds(300))
                    try await signals.credit(two, bytes: 4096, life: .seconds(300))
                    var heard: [String] = []
                    while heard.count < 3, case .messages(let messages) = await events.next() {
                        heard += messages.map { "\($0.channel) \(String(decoding: $0.payload, as: UTF8.self))" }
                    }
                    #expect(
                        heard == [
                            "gateway/cancellations \(one)", "gateway/cancellations \(two) 512",
                            "gateway/credits \(two) 4096",
                        ])
                    let forwarder = JobStream(consumer: "one", commands: redis, reader: redis, deadLetterLimit: 1)
                    #expect(
                        try await forwarder.cancelled(among: [ids.next(), two, one]) == [
                            one: Cancellation(), two: Cancellation(handedOver: 512),
                        ])
                    #expect(try await forwarder.credits(of: [one, two]) == [two: 4096])
                    #expect(try await forwarder.cancelled(among: []).isEmpty)
                }
            }
        }
    }

    /// A life that is over already must not become a key that stays for ever, nor an error that is tried again and
    /// again.
    @Test(arguments: [Duration.seconds(-5), .zero, .microseconds(1)]) func `no marker stays for ever`(
        _ life: Duration
    ) async throws {
        try await QueueFixture.run { fixture in
            let id = fixture.ids.next()
            try await JobSignals(redis: fixture.redis).cancel(id, life: life)
            let left = try #require(try await fixture.send("PTTL", Keys.cancelled(id)).int)
            #expect(left == -2 || (0...1).contains(left))
        }
    }
}
