internal import Common
internal import HTTPTypes
internal import Hummingbird

extension Request {
    /// Reads the whole body, as far as it is allowed, and undoes its codings.
    /// - Parameters: as ``BodyCollector/init(for:upTo:in:orThrow:)`` has them.
    func bytes(
        upTo limit: Int, in budget: UploadBudget? = nil,
        orThrow error: @escaping (_ limit: Int) -> GatewayError = GatewayError.bodyTooLarge
    ) async throws -> [UInt8] {
        let codings = try BodyCodings(headers)
        let collector = try BodyCollector(for: headers, upTo: limit, in: budget, orThrow: error)
        for try await piece in body { try collector.take(piece) }
        let sent = collector.finish()
        return codings.isEmpty || sent.isEmpty
            ? sent : try await codings.undone(of: sent, upTo: limit, in: budget, orThrow: error)
    }
}
