/// The decoded bytes of an answer between libcurl and its reader.
struct BodyBuffer {
    /// So much is buffered for a reader who does not ask; the peer then waits.
    static let capacity = 256 << 10

    private var buffered: [UInt8] = []
    /// The time at which the first of the buffered bytes came.
    private(set) var since: ContinuousClock.Instant?
    private var bytesLeft: Int

    /// - Parameter limit: bytes of the whole body.
    init(limit: Int) { bytesLeft = limit }

    var count: Int { buffered.count }

    /// Takes bytes, or returns false if the body is longer than is allowed.
    mutating func append(_ bytes: UnsafeRawBufferPointer, at time: ContinuousClock.Instant?) -> Bool {
        bytesLeft -= bytes.count
        guard bytesLeft >= 0 else { return false }
        if buffered.isEmpty, !bytes.isEmpty { since = time }
        buffered.append(contentsOf: bytes)
        return true
    }

    /// Whether the peer should wait for a reader who wants at least `minimum` bytes.
    func isFull(for minimum: Int) -> Bool { count >= max(Self.capacity, minimum) }

    /// Hands over all that is buffered.
    mutating func take() -> [UInt8] {
        defer { (buffered, since) = ([], nil) }
        return buffered
    }
}
