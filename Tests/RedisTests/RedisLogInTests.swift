import NIOPosix
import TestSupport
import Testing

@testable import Common
@testable import Redis

@Suite(.timeLimit(.minutes(5))) struct RedisLogInTests {
    private func withProtectedServer(_ body: (RedisServer) async throws -> Void) async throws {
        var options = RedisServer.Options()
        options.password = SecretString("open sesame")
        try await withRedisServer(options, body)
    }

    @Test func `enters with the password and selects the database`() async throws {
        try await withProtectedServer { server in
            var endpoint = server.endpoint
            endpoint.database = 3
            try await withRedisClient(endpoint) { client in
                _ = try await client.send(RedisCommand("SET", "here", 1))
                _ = try await client.send(RedisCommand("ACL", "SETUSER", "gateway", "on", ">secret", "~*", "+@all"))
                #expect(try await client.send(RedisCommand("INFO", "keyspace")).string?.contains("db3:keys=1") == true)
            }
            endpoint.username = "gateway"
            endpoint.password = SecretString("secret")
            try await withRedisClient(endpoint) { client in
                let user = try await client.send(RedisCommand("ACL", "WHOAMI"))
                #expect(user.string == "gateway")
            }
        }
    }

    @Test(arguments: [("hunter2", 0, "WRONGPASS"), (nil, 0, "NOAUTH"), ("open sesame", 99, "out of range")])
    func `says why it is refused`(_ password: String?, _ database: Int, _ reason: String) async throws {
        try await withProtectedServer { server in
            var endpoint = server.endpoint
            endpoint.password = password.map(SecretString.init)
            endpoint.database = database
            let error = await #expect(throws: RedisError.self) {
                try await RedisConnection.open(
                    endpoint, tls: nil, eventLoop: MultiThreadedEventLoopGroup.singleton.next(), onMessages: nil)
            }
            #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("sesame") == false && error?.message.contains("hunter2") == false)
        }
    }
}
