import Testing

@testable import Common
@testable import Redis

@Suite struct RedisValueTests {
    @Test func `reads nested shapes without trapping`() {
        let value = RedisValue.array([.bytes(Array("12".utf8)), .status("OK"), .array([.integer(7)]), .null])
        #expect(value[0].int == 12)
        #expect(value[0].string == "12")
        #expect(value[1].bytes == Array("OK".utf8))
        #expect(value[2][0].int == 7)
        #expect(value[2].array == [.integer(7)])
        #expect(value[3].isNull)
        #expect(value[4].isNull && value[-1].isNull && value[0][0].isNull)
        #expect(value.string == nil && value.int == nil && value[1].int == nil)
    }

    @Test func `turns a refusal into an error`() throws {
        #expect(try RedisValue.integer(1).get() == .integer(1))
        let error = #expect(throws: RedisError.self) { try RedisValue.error("NOGROUP No such key").get() }
        #expect(error?.serverCode == "NOGROUP")
    }

    @Test func `forgets arguments that the server repeats`() {
        let error = RedisError(reply: "ERR unknown command 'AUHT', with args beginning with: 'hunter2' ")
        #expect(error == RedisError(.server("ERR"), "ERR unknown command 'AUHT'"))
    }

    @Test(arguments: [
        (RedisError.Code.timeout, true), (.connectionLost, true), (.protocolError, true), (.unavailable, false),
        (.commandTooLarge, false),
        (.server("OOM"), false), (.configuration, false),
    ])
    func `tells whether a command may have run`(_ code: RedisError.Code, _ expected: Bool) {
        #expect(RedisError(code, "").mayHaveBeenExecuted == expected)
    }

    @Test func `describes an endpoint without its password`() {
        var endpoint = RedisEndpoint(.tcp(host: "::1", port: 6380))
        endpoint.username = "gateway"
        endpoint.password = SecretString("hunter2")
        endpoint.tls = true
        endpoint.database = 3
        #expect("\(endpoint)" == "rediss://[::1]:6380/3")
    }
}
