package import Common
package import Upstream

/// Takes an answer as it is made. Each call returns when the next may be made; when one throws, the rest is not wanted.
package protocol ResponseSink: Sendable {
    /// Called once, first.
    func begin(_ head: UpstreamHead) async throws
    func write(_ bytes: [UInt8]) async throws
}

extension ResponseSink {
    /// Sends a whole answer of JSON.
    package func send(_ status: Int, _ headers: [HeaderField] = [], json: [UInt8]) async throws {
        try await begin(
            UpstreamHead(status: status, headers: [HeaderField("content-type", "application/json")] + headers))
        try await write(json)
    }
}
