internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix

/// A provider on a free port of 127.0.0.1 that counts its calls by what they are for: the job whose name, such as
/// `job-17`, stands in the body, or else the insertion id that a gateway with `LITELLM_URL` sends as a tag.
package final class CountingProvider: Sendable {
    /// When it answers.
    package enum Manner: Sendable {
        /// When the test says so.
        case held
        /// A fraction of a second later; streams in pieces.
        case paced
    }

    /// One call that was made.
    package struct Call: Sendable {
        package var job: String
        /// 1 for the first call of its job, 2 for the next.
        package var number: Int
        fileprivate var isStream: Bool
        fileprivate var channel: any Channel
    }

    private struct State {
        var made: [String: Int] = [:]
        var held: [Call] = []
        var served: Set<String> = []
    }

    /// Events of a paced stream before `[DONE]`.
    fileprivate static let events = 5
    fileprivate static let pace = TimeAmount.milliseconds(60)

    package let port: Int
    private let state: NIOLockedValueBox<State>

    private init(port: Int, state: NIOLockedValueBox<State>) { (self.port, self.state) = (port, state) }

    /// How many calls each job has had.
    package var calls: [String: Int] { state.withLockedValue { $0.made } }
    /// All calls that were ever made.
    package var count: Int { calls.values.reduce(0, +) }
    /// The calls whose answers have not ended and whose callers are still connected.
    package var held: [Call] { state.withLockedValue { $0.held } }
    /// The jobs that were answered to the end.
    package var served: Set<String> { state.withLockedValue { $0.served } }

    /// Answers the held calls of which `isMeant`.
    package func answer(where isMeant: (Call) -> Bool = { _ in true }) {
        let calls = state.withLockedValue { state in
            defer { state.held.removeAll(where: isMeant) }
            return state.held.filter(isMeant)
        }
        for call in calls { call.answer(Self.text(call.number, of: call.job)) { [state] in Self.end($0, state) } }
    }

    /// What a held answer says.
    package static func text(_ number: Int, of job: String) -> String { "answer \(number) to \(job)." }

    /// The whole of a paced answer.
    package static func answer(to job: String, isStream: Bool) -> String {
        guard isStream else { return completion(job) }
        return (0..<events).map { event($0, job) }.joined() + done
    }

    fileprivate static func completion(_ text: String) -> String {
        #"{"object":"chat.completion","choices":[{"message":{"content":"\#(text)"}}]}"#
    }
    fileprivate static func event(_ number: Int, _ job: String) -> String {
        #"data: {"id":"\#(job)","choices":[{"index":0,"delta":{"content":"\#(number)"}}]}"# + "\n\n"
    }
    fileprivate static let done = "data: [DONE]\n\n"
}

extension CountingProvider {
    /// Runs a provider while `body` does.
    package static func run<Result>(
        _ manner: Manner, _ body: (CountingProvider) async throws -> Result
    ) async throws -> Result {
        let state = NIOLockedValueBox(State())
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 4096)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        RequestCollector { text, channel in
                            receive(text, on: channel, manner: manner, state: state)
                        } onClose: { channel in
                            state.withLockedValue { $0.held.removeAll { $0.channel === channel } }
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(CountingProvider(port: server.localAddress?.port ?? 0, state: state)))
        } catch { result = .failure(error) }
        try await server.close()
        for call in state.withLockedValue({ $0.held }) { call.channel.close(promise: nil) }
        return try result.get()
    }

    private static func receive(
        _ request: String, on channel: any Channel, manner: Manner, state: NIOLockedValueBox<State>
    ) {
        guard let job = job(of: request) else { return channel.close(promise: nil) }
        let call = state.withLockedValue { state in
            state.made[job, default: 0] += 1
            let call = Call(
                job: job, number: state.made[job] ?? 0, isStream: request.contains(#""stream": true"#), channel: channel
            )
            state.held.append(call)
            return call
        }
        guard manner == .paced else { return }
        if call.isStream { return call.stream { end($0, state) } }
        channel.eventLoop.scheduleTask(in: pace * 2) { call.answer(job) { end($0, state) } }
    }

    /// Takes note of a call that was answered to its end.
    private static func end(_ call: Call, _ state: NIOLockedValueBox<State>) {
        state.withLockedValue { state in
            state.held.removeAll { $0.job == call.job && $0.number == call.number }
            state.served.insert(call.job)
        }
    }

    private static func job(of request: String) -> String? {
        if let tag = request.firstRange(of: "insertion_id:") { return String(request[tag.upperBound...].prefix(36)) }
        return request.firstRange(of: "job-").map {
            "job-" + request[$0.upperBound...].prefix { $0.isASCII && $0.isNumber }
        }
    }
}

extension CountingProvider.Call {
    fileprivate typealias Ended = @Sendable (CountingProvider.Call) -> Void

    fileprivate func answer(_ text: String, _ ended: @escaping Ended) {
        let body = CountingProvider.completion(text)
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        write(head + body).whenSuccess { ended(self) }
    }

    fileprivate func stream(_ ended: @escaping Ended) {
        _ = write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        send(event: 0, ended)
    }

    private func send(event number: Int, _ ended: @escaping Ended) {
        guard number < CountingProvider.events else {
            write(Self.chunk(CountingProvider.done) + Self.chunk("")).whenSuccess { ended(self) }
            return
        }
        // A peer that has gone ends the stream.
        write(Self.chunk(CountingProvider.event(number, job))).whenSuccess {
            channel.eventLoop.scheduleTask(in: CountingProvider.pace) { send(event: number + 1, ended) }
        }
    }

    private func write(_ text: String) -> EventLoopFuture<Void> { channel.writeAndFlush(ByteBuffer(string: text)) }

    private static func chunk(_ text: String) -> String { String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n" }
}

/// Puts whole requests together, which are framed by `Content-Length`.
private final class RequestCollector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let onRequest: (String, any Channel) -> Void
    private let onClose: (any Channel) -> Void
    private var unread = ""

    init(onRequest: @escaping (String, any Channel) -> Void, onClose: @escaping (any Channel) -> Void) {
        self.onRequest = onRequest
        self.onClose = onClose
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unread += String(buffer: unwrapInboundIn(data))
        guard let end = unread.utf8.firstRange(of: "\r\n\r\n".utf8) else { return }
        let line = unread[..<end.lowerBound].split(separator: "\r\n").first {
            $0.lowercased().hasPrefix("content-length:")
        }
        let length = line.flatMap { Int($0.dropFirst("content-length:".count).drop { $0 == " " }) } ?? 0
        guard unread.utf8.distance(from: end.upperBound, to: unread.utf8.endIndex) >= length else { return }
        defer { unread = "" }
        onRequest(unread, context.channel)
    }

    func channelInactive(context: ChannelHandlerContext) { onClose(context.channel) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
