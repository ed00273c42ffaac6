internal import Common
internal import FoundationEssentials
internal import Upstream

/// Asks a running gateway.
struct GatewayClient: Sendable {
    /// The reason why there is no answer that can be read.
    struct Failure: Error, CustomStringConvertible {
        /// The answer's status; nil if there was none.
        var status: Int?
        /// The gateway's own word for it.
        var code: String?
        var description: String

        /// Whether another attempt may succeed without anybody's help.
        var mayPass: Bool { status.map { $0 == 429 || $0 >= 500 } ?? true }
    }

    let base: BaseURL
    /// The part in front of the paths: version and project.
    let prefix: String
    let key: SecretString?
    let upstream: any UpstreamClient

    /// Runs a body with a client, whose connections are closed after it.
    static func run<Result: Sendable>(
        _ address: GatewayAddress, _ body: (GatewayClient) async throws -> Result
    ) async throws -> Result {
        let network = try CurlUpstream()
        network.start()
        defer { network.stop() }
        return try await body(address.client(ProcessInfo.processInfo.environment, upstream: network))
    }

    /// A small answer, whole.
    /// - Parameters:
    ///   - path: below version and project, with its query, percent-encoded.
    ///   - limit: how long it may take.
    func get(_ path: String, within limit: Duration) async throws(Failure) -> Data {
        let collected = Collected()
        try await get(path, within: limit) { collected.append($0) }
        return collected.data
    }

    /// An answer of any length, piece by piece.
    func get(
        _ path: String, within limit: Duration, _ take: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws(Failure) {
        var headers = [HeaderField("accept", "application/json")]
        if let key { headers.append(HeaderField("authorization", "Bearer \(key.reveal())")) }
        var limits = UpstreamLimits()
        limits.bodyBytes = .max
        let request = UpstreamRequest(
            method: "GET", url: base.text + prefix + path, headers: headers, timeouts: .init(idle: limit, total: limit),
            limits: limits)
        do {
            try await upstream.withCall(request) { call in
                let status = try await call.head().status
                guard status == 200 else {
                    throw Self.failure(status, Data(try await call.next(minimum: 1 << 20) ?? []))
                }
                while let piece = try await call.next(minimum: 1) { try await take(piece) }
            }
        } catch let failure as Failure {
            throw failure
        } catch let error as UpstreamError {
            throw Failure(description: "\(base.origin): \(error.message)")
        } catch {
            throw Failure(status: 200, description: "\(error)")
        }
    }

    /// Reads the gateway's error, if it is one.
    private static func failure(_ status: Int, _ body: Data) -> Failure {
        struct Answer: Decodable {
            struct Told: Decodable {
                var message: String
                var code: String?
            }
            var error: Told
        }
        guard let told = try? JSONDecoder().decode(Answer.self, from: body).error else {
            return Failure(status: status, description: "the answer is \(status), and not the gateway's; check the URL")
        }
        return Failure(status: status, code: told.code, description: told.message)
    }
}
