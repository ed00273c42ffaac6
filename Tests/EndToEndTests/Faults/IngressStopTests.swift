import Common
import Subprocess
import TestSupport
import Testing

/// SIGTERM of an ingress whose clients keep their connections, as a load balancer does.
@Suite(.timeLimit(.minutes(5))) struct IngressStopTests {
    /// An answer that begins after the signal says that its connection closes, so that no request is sent into a
    /// closing one. A client that goes on asking loses no request by it; one that asks no more does not hold the
    /// process up.
    @Test func `its last answers say that the connection closes`() async throws {
        try await GatewayFleet.run { fleet in
            try await fleet.forwarder { _ in
                let ending = try await fleet.ingress { ingress, port in
                    try await withRawClient(to: port) { silent in
                        try await withRawClient(to: port) { busy in
                            try await withRawClient(to: port) { waiting in
                                #expect(try await silent.call("GET", "/health")["connection"] == nil)
                                try await waiting.send("POST", ServeTests.path, body: GatewayFleet.body(0))
                                try await eventually { fleet.provider.held.count == 1 }
                                try await stop(ingress, seenBy: busy)
                                fleet.provider.answer()
                                try await expectLast(waiting.answer(), on: waiting)
                            }
                        }
                        #expect(await silent.untilClosed().isEmpty)
                    }
                }
                #expect(ending.code == 0, "\(ending.output)")
            }
        }
    }

    /// An answer whose head has left cannot say so any longer; the one behind it does.
    @Test func `a connection is not closed right behind a stream`() async throws {
        try await GatewayFleet.run { fleet in
            try await fleet.forwarder { _ in
                let ending = try await fleet.ingress { ingress, port in
                    try await withRawClient(to: port) { client in
                        try await client.send(
                            "POST", ServeTests.path,
                            body: ServeTests.body("mock/echo?chunks=30&pace_ms=50", stream: true))
                        #expect(try await client.head()["connection"] == nil)
                        try await withRawClient(to: port) { try await stop(ingress, seenBy: $0) }
                        while try await client.chunk() != nil {}
                        try await expectLast(client.call("GET", "/health"), on: client)
                    }
                }
                #expect(ending.code == 0, "\(ending.output)")
            }
        }
    }

    /// Tells an ingress to stop, and returns when a client that goes on asking has been told that its connection
    /// closes. All that it asked was answered.
    private func stop(_ ingress: GatewayProcess, seenBy client: RawClient) async throws {
        // Before its first answer a connection may still wait to be accepted, and is reset when nobody accepts any
        // longer.
        var answer = try await client.call("GET", "/health")
        #expect(answer["connection"] == nil)
        try ingress.send(.terminate)
        repeat { answer = try await client.call("GET", "/health") } while answer["connection"] == nil
        try await expectLast(answer, on: client)
    }

    private func expectLast(_ answer: HTTPAnswer, on client: RawClient) async throws {
        #expect(answer.status == 200 && answer["connection"] == "close")
        #expect(await client.untilClosed().isEmpty)
    }
}
