internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix

/// A provider on a free port of 127.0.0.1 that notes which completions it was asked for, by the insertion ids that a gateway with `LITELLM_URL` sends as tags.
/// An answer takes a fraction of a second, and holds the id; a streamed one holds it in each of its events.
package final class RecordingProvider: Sendable {
    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private struct Notes {
        var calls: [String: Int] = [:]
        var served: Set<String> = []
    }

    /// Events of a streamed answer before `[DONE]`.
    private static let events = 5
    private static let pace = TimeAmount.milliseconds(60)

    package let port: Int
    private let notes = NIOLockedValueBox(Notes())

    private init(port: Int) { self.port = port }

    /// How often each completion was asked for, by its insertion id.
    package var calls: [String: Int] { notes.withLockedValue { $0.calls } }

    /// The completions that were answered to the end.
    package var served: Set<String> { notes.withLockedValue { $0.served } }

    /// What a client must get.
    package static func answer(to id: String, isStream: Bool) -> String {
        guard isStream else { return #"{"id":"\#(id)","object":"chat.completion","choices":[]}"# }
        return (0..<events).map { event($0, id) }.joined() + "data: [DONE]\n\n"
    }

    private static func event(_ number: Int, _ id: String) -> String { "data: {\"id\":\"\(id)\",\"n\":\(number)}\n\n" }

    /// Runs a provider for as long as `body` runs.
    package static func run(_ body: (RecordingProvider) async throws -> Void) async throws {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 1024)
            // A connection that nobody takes any longer must not be wrapped: NIO ends the process for a wrapped one that is dropped unused.
            .childChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0) { channel in channel.eventLoop.makeSucceededFuture(channel) }
        let provider = RecordingProvider(port: server.channel.localAddress?.port ?? 0)
        try await withThrowingTaskGroup { group in
            group.addTask {
                try await withThrowingDiscardingTaskGroup { connections in
                    try await server.executeThenClose { incoming in
                        for try await channel in incoming { connections.addTask { await provider.serve(channel) } }
                    }
                }
            }
            defer { group.cancelAll() }
            try await body(provider)
        }
    }

    /// Whatever ends a connection is its peer's wish.
    private func serve(_ channel: any Channel) async {
        let wrapped = channel.eventLoop.submit {
            let connection = try Connection(wrappingChannelSynchronously: channel)
            try channel.syncOptions?.setOption(.autoRead, value: true)
            return connection
        }
        try? await wrapped.get().executeThenClose { incoming, outgoing in
            var unread = ""
            for try await bytes in incoming {
                unread += String(buffer: bytes)
                while let request = Self.takeRequest(from: &unread) { try await answer(request, outgoing, on: channel.eventLoop) }
            }
        }
    }

    /// The first request with its body, if it has come whole.
    private static func takeRequest(from text: inout String) -> String? {
        guard let head = text.utf8.firstRange(of: "\r\n\r\n".utf8) else { return nil }
        let length = text[..<head.lowerBound].split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        let size = length.flatMap { Int($0.dropFirst("content-length:".count).filter { $0 != " " }) } ?? 0
        guard text.utf8.distance(from: head.upperBound, to: text.utf8.endIndex) >= size else { return nil }
        let end = text.utf8.index(head.upperBound, offsetBy: size)
        defer { text.removeSubrange(..<end) }
        return String(text[..<end])
    }

    private func answer(_ request: String, _ outgoing: NIOAsyncChannelOutboundWriter<ByteBuffer>, on loop: any EventLoop) async throws {
        let id = request.firstRange(of: "insertion_id:").map { String(request[$0.upperBound...].prefix(36)) } ?? ""
        notes.withLockedValue { $0.calls[id, default: 0] += 1 }
        if request.contains(#""stream": true"#) {
            try await outgoing.write(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"))
            for number in 0..<Self.events {
                try await outgoing.write(Self.chunk(Self.event(number, id)))
                try await loop.scheduleTask(in: Self.pace) {}.futureResult.get()
            }
            try await outgoing.write(Self.chunk("data: [DONE]\n\n"))
            try await outgoing.write(Self.chunk(""))
        } else {
            try await loop.scheduleTask(in: Self.pace * 2) {}.futureResult.get()
            let body = Self.answer(to: id, isStream: false)
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            try await outgoing.write(ByteBuffer(string: head + body))
        }
        notes.withLockedValue { _ = $0.served.insert(id) }
    }

    private static func chunk(_ text: String) -> ByteBuffer { ByteBuffer(string: String(text.utf8.count, radix: 16) + "\r\n\(text)\r\n") }
}
