import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Common
@testable import Upstream

/// What a receiver gets of a call, and when.
@Suite(.timeLimit(.minutes(5))) struct PushTests {
    /// How calls are pushed: by libcurl's loop, or by a task that reads them.
    enum Way: CaseIterable {
        case loop, task

        func client(_ upstream: CurlUpstream) -> any UpstreamClient {
            switch self {
            case .loop: upstream
            case .task: TaskOnly(client: upstream)
            }
        }
    }

    private static let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    private static var eventLoop: any EventLoop { MultiThreadedEventLoopGroup.singleton.any() }

    @Test(arguments: Way.allCases)
    func `a short answer is a head, its rest and its end`(way: Way) async throws {
        try await withUpstream(Self.answerAll) { upstream, server in
            let loop = CountingEventLoop(Self.eventLoop)
            for round in 1...20 {
                let recorder = Recorder(on: loop)
                try await recorder.start(UpstreamRequest(method: "POST", url: server.url()), by: way.client(upstream))
                await recorder.ended.wait()
                let head = UpstreamHead(status: 200, headers: [HeaderField("Content-Length", "2")])
                let rest = UpstreamPiece(Array("ok".utf8), isRest: true)
                #expect(recorder.events == [.head(head), .piece(rest), .end(nil)])
                #expect(recorder.breaches == [])
                #expect(recorder.heads == [head])
                if way == .loop { #expect(loop.executed.value == round, "one delivery for each") }
            }
            #expect(await upstream.inFlight == 0)
        }
    }

    @Test(arguments: Way.allCases, [1, 100_000])
    func `a long body comes whole and in order`(way: Way, minimum: Int) async throws {
        let bytes = (0..<4 << 20).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8 ^ $0 >> 16) }
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\r\n")
            try await connection.write(bytes)
        } _: { upstream, server in
            let recorder = Recorder(on: Self.eventLoop, minimum: minimum)
            try await recorder.start(UpstreamRequest(method: "GET", url: server.url()), by: way.client(upstream))
            await recorder.ended.wait()
            #expect(recorder.breaches == [])
            #expect(recorder.end == .end(nil))
            let isWhole = recorder.body.elementsEqual(bytes)
            #expect(isWhole)
            let early = recorder.events.filter { event in
                guard case .piece(let piece) = event else { return false }
                return !piece.isRest && piece.bytes.count < minimum
            }
            #expect(early.isEmpty)
        }
    }

    /// The peer says no more until the receiver has what it said.
    @Test(arguments: Way.allCases)
    func `what has lain for the patience is passed on`(way: Way) async throws {
        let seen = (0..<4).map { _ in TestSignal() }
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write(Self.head)
            for (index, signal) in seen.enumerated() {
                await signal.wait()
                try await connection.write("\(index)")
            }
        } _: { upstream, server in
            let recorder = Recorder(on: Self.eventLoop, minimum: 1000) { event, recorder in
                let pieces = recorder.events.count - 1
                if case .end = event { return }
                if pieces < seen.count { seen[pieces].send() }
            }
            let request = UpstreamRequest(method: "GET", url: server.url())
            try await recorder.start(request, by: way.client(upstream), patience: .milliseconds(5))
            await recorder.ended.wait()
            #expect(recorder.body == Array("0123".utf8))
            #expect(recorder.breaches == [])
        }
    }

    @Test(arguments: Way.allCases)
    func `what came with the head is passed on once it has lain`(way: Way) async throws {
        let seen = TestSignal()
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write(Self.head + "a")
            await seen.wait()
        } _: { upstream, server in
            let recorder = Recorder(on: Self.eventLoop, minimum: 1000) { event, _ in
                if case .piece = event { seen.send() }
            }
            let request = UpstreamRequest(method: "GET", url: server.url())
            try await recorder.start(request, by: way.client(upstream), patience: .milliseconds(5))
            await recorder.ended.wait()
            #expect(recorder.events.dropFirst() == [.piece(UpstreamPiece([0x61], isRest: false)), .end(nil)])
        }
    }

    @Test(arguments: Way.allCases)
    func `what comes within the patience is one piece`(way: Way) async throws {
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write(Self.head + "a")
            try await connection.pause(milliseconds: 50)
            try await connection.write("b")
        } _: { upstream, server in
            for patience in [nil, Duration.seconds(600)] {
                let recorder = Recorder(on: Self.eventLoop, minimum: 1000)
                let request = UpstreamRequest(method: "GET", url: server.url())
                try await recorder.start(request, by: way.client(upstream), patience: patience)
                await recorder.ended.wait()
                let rest = UpstreamPiece(Array("ab".utf8), isRest: true)
                #expect(recorder.events.dropFirst() == [.piece(rest), .end(nil)])
            }
        }
    }

    @Test(arguments: Way.allCases)
    func `a receiver that pauses makes the peer wait`(way: Way) async throws {
        try await withFlood { upstream, server, sent, total in
            let recorder = Recorder(on: Self.eventLoop) { event, recorder in
                if case .head = event { recorder.transfer?.pause() }
            }
            try await recorder.start(UpstreamRequest(method: "GET", url: server.url()), by: way.client(upstream))
            try await eventually { !recorder.events.isEmpty }
            await Self.turn(upstream)
            #expect(sent.value < total / 2)
            #expect(recorder.body.count <= 2 * BodyBuffer.capacity + 64 << 10, "what was underway")
            #expect(recorder.end == nil)
            recorder.transfer?.resume()
            await recorder.ended.wait()
            #expect(recorder.body.count == total)
            #expect(recorder.breaches == [])
        }
    }

    @Test(arguments: Way.allCases)
    func `an event loop that is busy makes the peer wait`(way: Way) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await withFlood { upstream, server, sent, total in
            let busy = ConditionLock(value: 0)
            let isBusy = TestSignal()
            let recorder = Recorder(on: group.next()) { event, _ in
                guard case .head = event else { return }
                isBusy.send()
                busy.lock(whenValue: 1)
                busy.unlock()
            }
            try await recorder.start(UpstreamRequest(method: "GET", url: server.url()), by: way.client(upstream))
            await isBusy.wait()
            await Self.turn(upstream)
            #expect(sent.value < total / 2)
            busy.lock()
            busy.unlock(withValue: 1)
            await recorder.ended.wait()
            #expect(recorder.body.count == total)
            #expect(recorder.breaches == [])
        }
        try await group.shutdownGracefully()
    }

    /// A pause holds back bytes, and the end behind them; it is not a pause of what has nothing to hold back.
    @Test func `what came while the receiver paused comes after it`() async throws {
        let isPaused = TestSignal()
        try await withUpstream { connection in
            _ = try await connection.request()
            await isPaused.wait()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
        } _: { upstream, server in
            let recorder = Recorder(on: Self.eventLoop)
            try await recorder.start(UpstreamRequest(method: "GET", url: server.url()), by: upstream, isPaused: true)
            // The loop takes its orders one after another, so behind another call the pause is in force.
            _ = try? await upstream.answer(to: "http://127.0.0.1:1/")
            isPaused.send()
            try await eventually { recorder.events.count == 1 }
            await Self.turn(upstream)
            #expect(recorder.events.count == 1, "the head alone")
            recorder.transfer?.resume()
            await recorder.ended.wait()
            #expect(recorder.events.dropFirst().first == .piece(UpstreamPiece(Array("part".utf8), isRest: true)))
            #expect(recorder.error?.code == .closedEarly)
            let unreachable = Recorder(on: Self.eventLoop)
            let nowhere = UpstreamRequest(method: "GET", url: "http://127.0.0.1:1/")
            try await unreachable.start(nowhere, by: upstream, isPaused: true)
            await unreachable.ended.wait()
            #expect(unreachable.error?.code == .connect)
            #expect(await upstream.inFlight == 0)
        }
    }

    @Test func `a pushed call carries the deployment's mark`() async throws {
        let mark = LoopMark(Envelope(key: try #require(GatewayKey(bytes: Array(repeating: 1, count: 32)))))
        try await withUpstream { connection in
            guard let text = try await connection.request() else { return }
            try await connection.write(Self.head + text)
        } _: { upstream, server in
            let recorder = Recorder(on: Self.eventLoop)
            let marked = MarkedUpstream(upstream, mark: mark)
            try await recorder.start(UpstreamRequest(method: "GET", url: server.url()), by: marked)
            await recorder.ended.wait()
            let carried = String(decoding: recorder.body, as: UTF8.self).contains("via: 1.1 \(mark.pseudonym)\r\n")
            #expect(carried)
        }
    }

    private static let answerAll: ScriptedServer.Script = { connection in
        while try await connection.request() != nil {
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
    }

    /// Makes the loop turn often. The system's own buffers on loopback hold some megabytes, which a peer fills
    /// meanwhile.
    static func turn(_ upstream: CurlUpstream) async {
        for _ in 0..<200 { _ = try? await upstream.answer(to: "http://127.0.0.1:1/") }
    }

    private func withFlood(
        _ body: @Sendable (CurlUpstream, ScriptedServer, _ sent: Counter, _ total: Int) async throws -> Void
    ) async throws {
        let (sent, total) = (Counter(), 64 << 20)
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let piece = [UInt8](repeating: 1, count: 64 << 10)
            for _ in 0..<(total / piece.count) {
                // Counted first: the receiver may have the last piece before the write of it returns.
                sent.add(piece.count)
                try await connection.write(piece)
            }
        } _: { upstream, server in
            try await body(upstream, server, sent, total)
            #expect(sent.value == total)
        }
    }
}
