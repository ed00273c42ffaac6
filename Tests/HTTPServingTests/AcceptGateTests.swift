import Glibc
import HTTPServing
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import Telemetry
import Testing

/// How a port goes on when it cannot take a connection.
@Suite(.timeLimit(.minutes(5))) struct AcceptGateTests {
    /// Notes what reaches the handlers behind the gate's own.
    private final class Witness: ChannelDuplexHandler, Sendable {
        typealias InboundIn = any Channel
        typealias OutboundIn = Never

        let errors = NIOLockedValueBox(0)
        let reads = NIOLockedValueBox(0)

        func errorCaught(context: ChannelHandlerContext, error: any Error) { errors.withLockedValue { $0 += 1 } }

        func read(context: ChannelHandlerContext) {
            reads.withLockedValue { $0 += 1 }
            context.read()
        }
    }

    private func withGate(
        limit: Int = 10, _ body: (AcceptGate, NIOAsyncTestingChannel, Witness, MetricsRegistry) async throws -> Void
    ) async throws {
        let registry = MetricsRegistry()
        let gate = AcceptGate(
            .ingress, limit: limit, registry: registry,
            logger: Logger(label: "", factory: { _ in SwiftLogNoOpLogHandler() }))
        let channel = NIOAsyncTestingChannel()
        let witness = Witness()
        try await channel.pipeline.addHandler(witness).get()
        await gate.attach(to: channel)
        try await body(gate, channel, witness, registry)
        _ = try? await channel.finish(acceptAlreadyClosed: true)
    }

    private func fail(_ channel: NIOAsyncTestingChannel, _ code: CInt) async throws {
        try await channel.testingEventLoop.executeInContext {
            channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept"))
        }
    }

    @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM]) func `a port rests and goes on`(code: CInt) async throws {
        try await withGate { gate, channel, witness, registry in
            for round in 1...3 {
                #expect(gate.isAcceptingNewConnections())
                let reads = witness.reads.withLockedValue { $0 }
                try await fail(channel, code)
                #expect(!gate.isAcceptingNewConnections())
                await channel.testingEventLoop.advanceTime(by: .milliseconds(99))
                #expect(!gate.isAcceptingNewConnections())
                await channel.testingEventLoop.advanceTime(by: .milliseconds(1))
                #expect(gate.isAcceptingNewConnections())
                #expect(witness.reads.withLockedValue { $0 } == reads + 1, "it takes connections again")
                let page = String(decoding: registry.exposition().bytes, as: UTF8.self)
                #expect(page.contains(#"gateway_accept_failures_total{port="ingress"} \#(round)"#), "\(page)")
            }
            #expect(witness.errors.withLockedValue { $0 } == 0, "NIO's server would end with the first")
        }
    }

    @Test func `a client that has gone is no failure`() async throws {
        try await withGate { gate, channel, witness, _ in
            try await fail(channel, ECONNABORTED)
            #expect(gate.isAcceptingNewConnections() && witness.errors.withLockedValue { $0 } == 0)
            try await fail(channel, EBADF)
            #expect(gate.isAcceptingNewConnections() && witness.errors.withLockedValue { $0 } == 1)
        }
    }

    @Test func `no more are taken than the limit`() async throws {
        try await withGate(limit: 2) { gate, _, _, _ in
            gate.connectionOpened()
            #expect(gate.isAcceptingNewConnections())
            gate.connectionOpened()
            #expect(!gate.isAcceptingNewConnections() && gate.open == 2)
            gate.connectionClosed()
            #expect(gate.isAcceptingNewConnections())
        }
    }
}
