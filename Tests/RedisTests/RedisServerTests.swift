import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct RedisServerTests {
    /// Tests run beside each other in one process. A server that inherited another test's connection would hold it open
    /// after its end.
    @Test func `a server holds no connection of its tests open`() async throws {
        let closed = TestSignal()
        try await ScriptedServer.run { connection in
            try await connection.closed()
            closed.send()
        } _: { server in
            try await withRawClient(to: server.port) { client in
                try await withRedisServer { _ in
                    try await client.close()
                    await closed.wait()
                }
            }
        }
    }
}
