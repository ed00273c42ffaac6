internal import Common
internal import NIOConcurrencyHelpers

/// The names of counters in Redis: fingerprints, so that nothing of a client's or a rule's stands there.
final class CounterNames: Sendable {
    /// The names that are remembered. A fingerprint costs more than all else that finds a counter.
    private static let most = 10_000
    /// The most bytes of a counter whose name is remembered: a client chooses some of them.
    private static let longest = 1024

    private let envelope: Envelope
    private let known = NIOLockedValueBox<[[UInt8]: String]>([:])

    init(_ envelope: Envelope) { self.envelope = envelope }

    /// - Parameter counter: what tells the counter from all others.
    func name(of counter: [UInt8]) -> String {
        if let name = known.withLockedValue({ $0[counter] }) { return name }
        let fingerprint = envelope.fingerprint(of: [Array("rate limit".utf8), counter])
        let name = String(hexadecimal: fingerprint.prefix(16))
        guard counter.count <= Self.longest else { return name }
        known.withLockedValue { known in
            if known.count >= Self.most { known = [:] }
            known[counter] = name
        }
        return name
    }
}
