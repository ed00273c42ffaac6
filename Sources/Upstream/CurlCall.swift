/// The reader's side of one call. Its identity is the call's name in the loop.
final class CurlCall: UpstreamCall {
    private let loop: CurlLoop

    init(_ loop: CurlLoop) { self.loop = loop }

    var id: ObjectIdentifier { ObjectIdentifier(self) }

    func head() async throws(UpstreamError) -> UpstreamHead { try await loop.head(of: id) }

    func next(minimum: Int, patience: Duration?) async throws(UpstreamError) -> UpstreamPiece? {
        try await loop.next(of: id, minimum: minimum, patience: patience)
    }
}
