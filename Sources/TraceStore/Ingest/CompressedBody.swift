internal import Common

/// A request's body, which may have come as gzip.
struct CompressedBody: Sendable {
    let isGzip: Bool
    /// The most bytes of it, decompressed.
    let limit: Int

    /// Bytes that reading the body needs besides it: what it becomes, decompressed.
    /// - Throws: 400 for what is no gzip, 413 for what is too large.
    func room(for body: [UInt8]) throws(LangfuseError) -> Int {
        guard isGzip else { return 0 }
        guard body.count >= 18, body.starts(with: [0x1F, 0x8B]) else { throw Self.badGzip }
        // RFC 1952 §2.3.1: the last four bytes say how much it becomes.
        let size = body.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard size <= limit else { throw .bodyTooLarge(limit) }
        return size
    }

    func decompressed(_ body: [UInt8]) throws(LangfuseError) -> [UInt8] {
        guard isGzip else { return body }
        // What becomes more than it says is not believed.
        let size = try room(for: body)
        do throws(Gunzip.Failure) { return try Gunzip.decompress(body, limit: size) } catch { throw Self.badGzip }
    }

    private static let badGzip = LangfuseError.invalidRequest("The body is not valid gzip")
}
