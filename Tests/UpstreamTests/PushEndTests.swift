import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Common
@testable import Upstream

/// How a pushed call ends: once, however it does, and not at all for a receiver that has cancelled it.
@Suite(.timeLimit(.minutes(5))) struct PushEndTests {
    /// What goes wrong.
    enum Failure: CaseIterable {
        case invalidURL, refused, blocked, reset, closed, tooLarge, silent, slow

        func request(_ server: ScriptedServer) -> UpstreamRequest {
            var request = UpstreamRequest(method: "POST", url: server.url("/\(self)"), body: [1])
            switch self {
            case .invalidURL: request.url = "http://127.0.0.1/ a"
            case .refused: request.url = "http://127.0.0.1:1/"
            case .blocked: request.addresses = .clientChosen(allowLoopback: false, allowPrivate: false)
            case .tooLarge: request.limits.bodyBytes = 5
            case .silent: request.timeouts.idle = .milliseconds(50)
            case .slow: request.timeouts.total = .milliseconds(50)
            case .reset, .closed: break
            }
            return request
        }

        var code: UpstreamError.Code {
            switch self {
            case .invalidURL: .invalidURL
            case .refused: .connect
            case .blocked: .blockedAddress
            case .reset, .closed: .closedEarly
            case .tooLarge: .tooLarge
            case .silent: .idleTimeout
            case .slow: .totalTimeout
            }
        }

        /// What is received before the end.
        var body: String? { [.reset, .closed].contains(self) ? "part" : nil }
    }

    fileprivate static var eventLoop: any EventLoop { MultiThreadedEventLoopGroup.singleton.any() }

    /// Begins an answer, and goes on as the path says.
    private static func fail(_ received: TestSignal) -> ScriptedServer.Script {
        { connection in
            guard let request = try await connection.request() else { return }
            if request.contains(" /tooLarge ") {
                let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                return try await connection.write(head + "9\r\nchunk has\r\n")
            }
            let ends = request.contains(" /reset ") || request.contains(" /closed ")
            guard ends else { return try await connection.closed() }
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
            await received.wait()
            if request.contains(" /reset ") { try await connection.reset() }
        }
    }

    @Test(arguments: PushTests.Way.allCases, Failure.allCases)
    func `a call that fails ends once, behind what came before`(way: PushTests.Way, failure: Failure) async throws {
        let received = TestSignal()
        try await withUpstream(Self.fail(received)) { upstream, server in
            let recorder = Recorder(on: Self.eventLoop) { event, _ in if case .piece = event { received.send() } }
            try await recorder.start(failure.request(server), by: way.client(upstream))
            await recorder.ended.wait()
            #expect(recorder.error?.code == failure.code)
            #expect(recorder.error?.requestMayHaveBeenSent == ![.invalidURL, .refused, .blocked].contains(failure))
            #expect(recorder.breaches == [])
            if let body = failure.body { #expect(recorder.body == Array(body.utf8)) }
            try await eventually { await upstream.inFlight == 0 }
        }
    }

    @Test(arguments: PushTests.Way.allCases)
    func `a kept connection that closes unanswered is told apart`(way: PushTests.Way) async throws {
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            _ = try await connection.request()
        } _: { upstream, server in
            for isKept in [false, true] {
                let recorder = Recorder(on: Self.eventLoop)
                let request = UpstreamRequest(method: "POST", url: server.url(), body: [1])
                try await recorder.start(request, by: way.client(upstream))
                await recorder.ended.wait()
                #expect(recorder.end == (isKept ? recorder.end : .end(nil)))
                #expect(recorder.error?.keptConnectionClosed == (isKept ? true : nil))
            }
            #expect(server.accepted.value == 1)
        }
    }

    @Test(arguments: [false, true])
    func `stopping the client ends what is in flight and what comes later`(isPaused: Bool) async throws {
        let asked = TestSignal()
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
            asked.send()
            try await connection.closed()
        } _: { upstream, server in
            let first = Recorder(on: Self.eventLoop, minimum: 1000)
            try await first.start(UpstreamRequest(method: "GET", url: server.url()), by: upstream, isPaused: isPaused)
            await asked.wait()
            try await eventually { first.events.count == 1 }
            upstream.stop()
            await first.ended.wait()
            #expect(first.error?.code == .unavailable)
            #expect(first.error?.requestMayHaveBeenSent == true)
            let late = Recorder(on: Self.eventLoop)
            try await late.start(UpstreamRequest(method: "GET", url: server.url()), by: upstream)
            await late.ended.wait()
            #expect(late.events.count == 1)
            #expect(late.error?.code == .unavailable)
            #expect(late.error?.requestMayHaveBeenSent == false)
            for transfer in [first.transfer, late.transfer] {
                transfer?.resume()
                transfer?.cancel()
            }
            #expect(await upstream.inFlight == 0)
            #expect(first.breaches + late.breaches == [])
        }
    }

    @Test(arguments: PushTests.Way.allCases)
    func `a receiver that cancels gets nothing more, and the peer sees it`(way: PushTests.Way) async throws {
        let gone = TestSignal()
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo")
            try await connection.closed()
            gone.send()
        } _: { upstream, server in
            let recorder = Recorder(on: Self.eventLoop) { _, recorder in recorder.cancel() }
            try await recorder.start(UpstreamRequest(method: "GET", url: server.url()), by: way.client(upstream))
            await gone.wait()
            #expect(recorder.events.count == 1)
            #expect(recorder.breaches == [])
            try await eventually { await upstream.inFlight == 0 }
        }
    }

    /// The bytes that are too many lie with libcurl until the receiver goes on. The peer sees the end of the
    /// connection.
    @Test(arguments: 1...4) func `a body that grows too large while its receiver pauses ends the call`(
        pieces: Int
    ) async throws {
        let gone = TestSignal()
        try await withUpstream { connection in
            _ = try await connection.request()
            try await connection.write("HTTP/1.1 200 OK\r\n\r\n")
            do { while true { try await connection.write([UInt8](repeating: 1, count: 64 << 10)) } } catch {
                gone.send()
            }
        } _: { upstream, server in
            var request = UpstreamRequest(method: "GET", url: server.url())
            request.limits.bodyBytes = pieces * BodyBuffer.capacity
            let recorder = Recorder(on: Self.eventLoop) { event, recorder in
                if case .end = event { return }
                recorder.transfer?.pause()
            }
            try await recorder.start(request, by: upstream)
            while recorder.end == nil {
                await PushTests.turn(upstream)
                recorder.transfer?.resume()
            }
            #expect(recorder.error?.code == .tooLarge)
            #expect(recorder.breaches == [])
            await gone.wait()
            #expect(await upstream.inFlight == 0)
        }
    }

    /// Cancelled before, while and after an answer comes, on the event loop and elsewhere, and paused now and then.
    @Test(arguments: PushTests.Way.allCases, 0..<3)
    func `a call that is cancelled at any moment is over`(way: PushTests.Way, seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let plans = (0..<200).map { _ in Plan(&random) }
        try await withUpstream { connection in
            while try await connection.request() != nil {
                try await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in 0..<3 { try await connection.write("4\r\nbody\r\n") }
                try await connection.write("0\r\n\r\n")
            }
        } _: { upstream, server in
            try await withThrowingTaskGroup(of: Recorder.self) { group in
                let request = UpstreamRequest(method: "GET", url: server.url())
                for plan in plans { group.addTask { try await plan.run(request, by: way.client(upstream)) } }
                for try await recorder in group {
                    #expect(recorder.breaches == [])
                    #expect(recorder.transfer.map { $0 is CurlPushedCall } == (way == .loop))
                    if recorder.end != nil { #expect(recorder.end == .end(nil)) }
                }
            }
            try await eventually { await upstream.inFlight == 0 }
        }
    }

    struct Plan: Sendable {
        /// The event at which the call is cancelled, on the event loop; nil: from outside, after so many other steps.
        let event: Int?
        let steps: Int
        let pauses: Bool

        init(_ random: inout SeededRandom) {
            event = random.chance(oneIn: 2) ? random.below(5) : nil
            steps = random.below(30)
            pauses = random.chance(oneIn: 3)
        }

        /// Returns once the call has ended or was cancelled, and its event loop has had the time to say more.
        func run(_ request: UpstreamRequest, by client: any UpstreamClient) async throws -> Recorder {
            let (cancelled, pauses) = (TestSignal(), pauses)
            let recorder = Recorder(on: PushEndTests.eventLoop) { [event] last, recorder in
                if pauses { recorder.transfer?.pause() }
                if pauses { recorder.transfer?.resume() }
                if case .end = last { return cancelled.send() }
                guard event == recorder.events.count - 1 else { return }
                recorder.cancel()
                cancelled.send()
            }
            try await recorder.start(request, by: client)
            if event == nil {
                for _ in 0..<steps { await Task.yield() }
                recorder.transfer?.cancel()
                try await recorder.eventLoop.submit { recorder.cancel() }.get()
            } else {
                await cancelled.wait()
            }
            try await recorder.eventLoop.submit {}.get()
            return recorder
        }
    }
}
