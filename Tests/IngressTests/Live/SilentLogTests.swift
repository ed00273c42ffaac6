import Common
import InMemoryLogging
import Logging
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

/// The log holds no byte of a request, however it is broken and however much is logged.
@Suite(.timeLimit(.minutes(5))) struct SilentLogTests {
    @Test func `a broken request leaves nothing in the log`() async throws {
        let log = InMemoryLogHandler()
        var logger = Logger(label: "test") { _ in log }
        logger.logLevel = .trace
        try await LiveIngress.run({ $0.logger = logger }) { ingress in
            for request in MalformedRequests.all(LiveIngress.path) {
                // What breaks a body comes behind the head, and more behind that, in pieces of its own.
                let pieces = request.split(separator: "\r\n\r\n", maxSplits: 1).map { String($0) }
                for parts in [
                    [request], [pieces[0] + "\r\n\r\n", pieces.last ?? ""],
                    request.map { String($0) }.count > 4000 ? [] : [request, request],
                ] {
                    try await ingress.connect { client in
                        for part in parts { try? await client.send(part) }
                        client.halfClose()
                        #expect(!MalformedRequests.betrays(String(decoding: await client.untilClosed(), as: UTF8.self)))
                    }
                }
            }
        }
        #expect(!log.entries.isEmpty)
        for entry in log.entries { #expect(!MalformedRequests.betrays("\(entry)"), "\(entry)") }
    }

    @Test func `an error is named without its bytes`() {
        let bytes = ByteBuffer(string: MalformedRequests.canary)
        let errors: [(any Error, String)] = [
            (ByteToMessageDecoderError.leftoverDataWhenDone(bytes), "leftoverDataWhenDone"),
            (
                ByteToMessageDecoderError.dataReceivedInErrorState(HTTPParserError.unknown, bytes),
                "dataReceivedInErrorState"
            ),
            (HTTPParserError.invalidChunkSize, "chunk size"),
            (IOError(errnoCode: 104, reason: MalformedRequests.canary), "104"),
            (Told(text: MalformedRequests.canary), "Told"), (Described.case(MalformedRequests.canary), "Described"),
            (ChannelError.eof, "ChannelError"),
        ]
        for (error, name) in errors {
            #expect(error.kind.contains(name) && !MalformedRequests.betrays(error.kind), "\(error.kind)")
        }
    }

    private struct Told: Error { let text: String }
    private enum Described: Error, CustomStringConvertible {
        case `case`(String)
        var description: String { MalformedRequests.canary }
    }
}
