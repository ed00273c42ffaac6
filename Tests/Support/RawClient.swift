internal import Common
internal import NIOCore
internal import NIOPosix

/// An HTTP/1.1 client that sends what a test says, byte for byte and as slowly as it likes, so that it may also break
/// HTTP. One task uses it.
package final class RawClient {
    /// The gateway closed the connection before what was waited for had come.
    package struct Closed: Error {}

    private var incoming: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outgoing: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private let channel: any Channel
    /// Whether the connection ended in a reset, which can cost a client what it had not yet read.
    package private(set) var wasReset = false
    /// Bytes that have come and were not looked at.
    private var unread: [UInt8] = []

    init(
        incoming: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outgoing: NIOAsyncChannelOutboundWriter<ByteBuffer>, channel: any Channel
    ) {
        self.incoming = incoming
        self.outgoing = outgoing
        self.channel = channel
    }

    package func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    package func send(_ bytes: [UInt8]) async throws { try await outgoing.write(ByteBuffer(bytes: bytes)) }

    /// Sends a whole request, framed by `Content-Length`.
    package func send(_ method: String, _ target: String, headers: [String] = [], body: String = "") async throws {
        let lines = ["\(method) \(target) HTTP/1.1", "Host: localhost", "Content-Length: \(body.utf8.count)"] + headers
        try await send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    /// Ends the sending side; answers can still come.
    package func halfClose() { outgoing.finish() }

    /// Closes the connection.
    package func close() async throws { try await channel.close() }
}

extension RawClient {
    /// The next answer's head.
    package func head() async throws -> HTTPAnswer {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = unread.firstRange(of: end) {
                let head = String(decoding: unread[..<range.lowerBound], as: UTF8.self)
                unread.removeSubrange(..<range.upperBound)
                guard let answer = HTTPAnswer(head: head) else { throw Closed() }
                return answer
            }
            try await more()
        }
    }

    /// The next answer, whole.
    /// - Parameter hasBody: false for the answer to a HEAD request.
    package func answer(hasBody: Bool = true) async throws -> HTTPAnswer {
        var answer = try await head()
        guard hasBody, answer.status != 204, answer.status != 304 else { return answer }
        if answer.isChunked {
            while let chunk = try await chunk() { answer.body += chunk }
        } else {
            answer.body = try await take(answer.length ?? 0)
        }
        return answer
    }

    /// Sends a whole request and reads its answer.
    package func call(
        _ method: String, _ target: String, headers: [String] = [], body: String = ""
    ) async throws -> HTTPAnswer {
        try await send(method, target, headers: headers, body: body)
        return try await answer(hasBody: method != "HEAD")
    }

    /// The next chunk of a chunked body; nil at its end.
    package func chunk() async throws -> [UInt8]? {
        let lineEnd = Array("\r\n".utf8)
        while true {
            if let range = unread.firstRange(of: lineEnd) {
                guard let size = Int(String(decoding: unread[..<range.lowerBound], as: UTF8.self), radix: 16) else {
                    throw Closed()
                }
                unread.removeSubrange(..<range.upperBound)
                let chunk = try await take(size + 2).dropLast(2)
                return size == 0 ? nil : Array(chunk)
            }
            try await more()
        }
    }

    /// Reads until the gateway closes the connection, in whichever way.
    /// - Returns: what it said before.
    package func untilClosed() async -> [UInt8] {
        while (try? await more()) != nil {}
        defer { unread = [] }
        return unread
    }

    private func take(_ count: Int) async throws -> [UInt8] {
        while unread.count < count { try await more() }
        defer { unread.removeSubrange(..<count) }
        return Array(unread[..<count])
    }

    private func more() async throws {
        let next: ByteBuffer?
        do { next = try await incoming.next(isolation: #isolation) } catch let error as IOError {
            wasReset = true
            throw error
        }
        guard let bytes = next else { throw Closed() }
        unread += Array(buffer: bytes)
    }
}

/// Connects to a port of 127.0.0.1, runs `body`, and closes the connection if `body` did not.
package func withRawClient<Result: Sendable>(
    to port: Int, _ body: (RawClient) async throws -> Result
) async throws -> Result {
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .channelOption(.allowRemoteHalfClosure, value: true)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                    wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            }
        }
    var result: Swift.Result<Result, any Error>?
    // How the connection ends is not a concern of the test's: the gateway may close it at any time.
    try? await channel.executeThenClose { incoming, outgoing in
        let client = RawClient(incoming: incoming.makeAsyncIterator(), outgoing: outgoing, channel: channel.channel)
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        try? await client.close()
    }
    guard let result else { throw RawClient.Closed() }
    return try result.get()
}
