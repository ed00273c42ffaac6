import Common
import TestSupport

/// What a client gets for a call, in whichever way it ends.
enum CallOutcome: Equatable, CustomStringConvertible {
    /// An error in OpenAI's shape, instead of an answer.
    case refused(status: Int, code: String)
    /// A stream whose last event is an error in OpenAI's shape.
    case errorEvent(code: String)
    /// The connection broke in the middle of an answer's body.
    case brokenOff(bytes: Int)
    /// The connection closed without an answer.
    case closed
    /// An answer to its end, with its last bytes.
    case complete(status: Int, bytes: Int, tail: String)

    /// So much of a body is kept.
    private static let tailBytes = 4096

    var description: String {
        switch self {
        case .refused(let status, let code): "\(status) \(code)"
        case .errorEvent(let code): "an error event \(code)"
        case .brokenOff(let bytes): "broken off after \(bytes) bytes"
        case .closed: "closed"
        case .complete(let status, let bytes, let tail): "\(status) with \(bytes) bytes, …\(tail.suffix(200))"
        }
    }

    /// Reads the answer to a request that asked to close its connection, however long it is.
    static func read(from client: RawClient) async -> CallOutcome {
        guard let head = try? await client.head() else { return .closed }
        var (bytes, tail) = (0, [UInt8]())
        do {
            if let length = head["content-length"].flatMap({ Int($0) }) {
                tail = await client.untilClosed()
                bytes = tail.count
                if bytes < length { return .brokenOff(bytes: bytes) }
            } else {
                while let chunk = try await client.chunk() {
                    bytes += chunk.count
                    tail = Array((tail + chunk.suffix(tailBytes)).suffix(tailBytes))
                }
            }
        } catch {
            return .brokenOff(bytes: bytes)
        }
        if let error = GatewayError(json: tail, status: head.status) {
            return .refused(status: head.status, code: error.code)
        }
        if let error = lastEvent(of: tail, status: head.status) { return .errorEvent(code: error.code) }
        return .complete(status: head.status, bytes: bytes, tail: String(decoding: tail, as: UTF8.self))
    }

    private static func lastEvent(of tail: [UInt8], status: Int) -> GatewayError? {
        let text = String(decoding: tail, as: UTF8.self)
        guard text.hasSuffix("\n\n"), let line = text.split(separator: "\n").last, line.hasPrefix("data: ") else {
            return nil
        }
        return GatewayError(json: Array(line.dropFirst(6).utf8), status: status)
    }
}
