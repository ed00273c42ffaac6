internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix

/// A provider on a free port of 127.0.0.1 that counts its calls by job and holds every answer until the test gives it. A call belongs to the job whose name,
/// such as `job-17`, stands in its body.
package final class HeldProvider: Sendable {
    /// One call that was made.
    package struct Call: Sendable {
        package var job: String
        /// 1 for the first call of its job, 2 for the next.
        package var number: Int
        fileprivate var channel: any Channel
    }

    private struct State {
        var made: [String: Int] = [:]
        var held: [Call] = []
    }

    package let port: Int
    private let state: NIOLockedValueBox<State>

    private init(port: Int, state: NIOLockedValueBox<State>) { (self.port, self.state) = (port, state) }

    /// How many calls each job has had.
    package var calls: [String: Int] { state.withLockedValue { $0.made } }
    /// All calls that were ever made.
    package var count: Int { calls.values.reduce(0, +) }
    /// The calls that wait for their answers and whose callers are still connected.
    package var held: [Call] { state.withLockedValue { $0.held } }

    /// Answers the held calls of which `isMeant`.
    package func answer(where isMeant: (Call) -> Bool = { _ in true }) {
        let calls = state.withLockedValue { state in
            defer { state.held.removeAll(where: isMeant) }
            return state.held.filter(isMeant)
        }
        for call in calls {
            let body = #"{"object":"chat.completion","choices":[{"message":{"content":"\#(Self.text(call.number, of: call.job))"}}]}"#
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            call.channel.writeAndFlush(ByteBuffer(string: head + body), promise: nil)
        }
    }

    /// What the answer to a call says.
    package static func text(_ number: Int, of job: String) -> String { "answer \(number) to \(job)." }

    /// Runs a provider while `body` does.
    package static func run<Result>(_ body: (HeldProvider) async throws -> Result) async throws -> Result {
        let state = NIOLockedValueBox(State())
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 4096)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        RequestCollector { text, channel in
                            receive(text, on: channel, state)
                        } onClose: { channel in
                            state.withLockedValue { $0.held.removeAll { $0.channel === channel } }
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(HeldProvider(port: server.localAddress?.port ?? 0, state: state)))
        } catch { result = .failure(error) }
        try await server.close()
        for call in state.withLockedValue({ $0.held }) { call.channel.close(promise: nil) }
        return try result.get()
    }

    private static func receive(_ request: String, on channel: any Channel, _ state: NIOLockedValueBox<State>) {
        guard let name = request.firstRange(of: "job-") else { return channel.close(promise: nil) }
        let job = "job-" + request[name.upperBound...].prefix { $0.isASCII && $0.isNumber }
        state.withLockedValue { state in
            state.made[job, default: 0] += 1
            state.held.append(Call(job: job, number: state.made[job] ?? 0, channel: channel))
        }
    }
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
        let line = unread[..<end.lowerBound].split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        let length = line.flatMap { Int($0.dropFirst("content-length:".count).drop { $0 == " " }) } ?? 0
        guard unread.utf8.distance(from: end.upperBound, to: unread.utf8.endIndex) >= length else { return }
        defer { unread = "" }
        onRequest(unread, context.channel)
    }

    func channelInactive(context: ChannelHandlerContext) { onClose(context.channel) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
