import NIOCore
import Testing

@testable import Common
@testable import Redis

@Suite struct RedisOutboxTests {
    private let waiter = RedisWaiter(expected: nil, timeout: .seconds(1), completion: .callback { _ in })

    private func isFirst(_ admission: RedisOutbox.Admission) -> Bool {
        if case .first = admission { true } else { false }
    }
    private func refusal(_ admission: RedisOutbox.Admission) -> RedisError.Code? {
        if case .refused(let error) = admission { error.code } else { nil }
    }

    @Test func `wakes the loop once per batch`() throws {
        let outbox = RedisOutbox(maximumBytes: 1000)
        #expect(isFirst(outbox.append(RedisCommand("PING"), waiter: waiter)))
        #expect(!isFirst(outbox.append(batch: [RedisCommand("GET", "a"), RedisCommand("GET", "b")], waiter: waiter)))
        let batch = try #require(outbox.take())
        #expect(batch.waiters.count == 2)
        #expect(
            String(buffer: batch.bytes)
                == "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n")
        #expect(outbox.take() == nil)
        #expect(isFirst(outbox.append(RedisCommand("PING"), waiter: waiter)))
    }

    @Test func `counts bytes until they are written`() throws {
        let ping = 14
        let outbox = RedisOutbox(maximumBytes: 3 * ping)
        for _ in 0..<3 { #expect(refusal(outbox.append(RedisCommand("PING"), waiter: waiter)) == nil) }
        _ = outbox.take()
        #expect(refusal(outbox.append(RedisCommand("PING"), waiter: waiter)) == .unavailable)
        outbox.wrote(ping)
        #expect(refusal(outbox.append(RedisCommand("PING"), waiter: waiter)) == nil)
    }

    @Test func `refuses a command that can never fit`() {
        let outbox = RedisOutbox(maximumBytes: 10)
        #expect(refusal(outbox.append(RedisCommand("SET", "12345678"), waiter: waiter)) == .commandTooLarge)
        #expect(
            refusal(outbox.append(batch: [RedisCommand("SET"), RedisCommand("12345678")], waiter: waiter))
                == .commandTooLarge)
    }

    @Test func `stays closed with its first reason`() {
        let outbox = RedisOutbox(maximumBytes: 100)
        _ = outbox.append(RedisCommand("PING"), waiter: waiter)
        #expect(outbox.close(RedisError(.unavailable, "first")).count == 1)
        #expect(outbox.close(RedisError(.unavailable, "second")).isEmpty)
        guard case .refused(let error) = outbox.append(RedisCommand("PING"), waiter: waiter) else {
            Issue.record("a closed outbox took a command")
            return
        }
        #expect(error.message == "first")
    }
}
