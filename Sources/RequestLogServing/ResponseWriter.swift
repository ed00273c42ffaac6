internal import Common
internal import Queue
internal import RequestLog
internal import Upstream

/// Writes an answer about the request log into a sink, in pieces of about one size: an export comes row by row, and
/// each piece is a frame of its own.
struct ResponseWriter {
    /// The size of each piece but the last one.
    static let pieceBytes = 64 << 10

    private let sink: any ResponseSink
    private var waiting: [UInt8] = []

    init(sink: any ResponseSink) { self.sink = sink }

    /// Writes all of an answer.
    static func write(_ answer: RequestLogResponse, to sink: any ResponseSink) async throws {
        try await sink.begin(
            UpstreamHead(
                status: answer.status,
                headers: [HeaderField("content-type", answer.contentType), HeaderField("cache-control", "no-store")]))
        var writer = ResponseWriter(sink: sink)
        try await answer.write { try await writer.add($0) }
        try await writer.flush()
    }

    private mutating func add(_ piece: ArraySlice<UInt8>) async throws {
        var rest = piece
        while waiting.count + rest.count >= Self.pieceBytes {
            let part = rest.prefix(Self.pieceBytes - waiting.count)
            rest = rest[part.endIndex...]
            waiting += part
            try await flush()
        }
        waiting += rest
    }

    private mutating func flush() async throws {
        guard !waiting.isEmpty else { return }
        let piece = waiting
        waiting.removeAll(keepingCapacity: true)
        try await sink.write(piece)
    }
}
