import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import HTTPServing

/// What the decoder makes of the bytes of a connection, one line a request: method, target, body.
struct DecodedRequests {
    /// More than a decoder ever keeps of these requests.
    private static let mostKept = 4096

    private(set) var lines: [String] = []
    private(set) var error: (any Error)?

    /// - Parameter pieces: in what the bytes come, one after the other.
    init(_ pieces: [ArraySlice<UInt8>]) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 1024
        let decoder = RequestDecoder(limits: limits)
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(decoder, maximumBufferSize: Self.mostKept), RequestDecoderWatch(decoder),
        ])
        for piece in pieces {
            do { try channel.writeInbound(ByteBuffer(bytes: piece)) } catch { self.error = self.error ?? error }
        }
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head): lines.append("\(head.method) \(head.uri) ")
            case .body(let body): lines[lines.count - 1] += String(buffer: body)
            case .end: lines[lines.count - 1] += "."
            }
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    /// The bytes at once, one by one, and in two pieces cut at every third place.
    static func allPieces(of bytes: [UInt8]) -> [[ArraySlice<UInt8>]] {
        [[bytes[...]], bytes.indices.map { bytes[$0...$0] }]
            + stride(from: 1, to: bytes.count, by: 3).map { [bytes[..<$0], bytes[$0...]] }
    }
}
