/// The key of its own under which a withheld job is sealed, and the frames of its answer, which no one fetches later.
/// It stands in Redis, sealed under the gateway's key, until the job has ended. The part that older files of Redis hold
/// of the job opens with nothing from then on.
package struct OwnSeal: Sendable, Equatable {
    private let key: GatewayKey
    package let envelope: Envelope

    private init(_ key: GatewayKey) {
        self.key = key
        envelope = Envelope(key: key)
    }

    package static func random() -> OwnSeal { OwnSeal(.random()) }

    /// The key as it stands in Redis.
    /// - Parameter shared: seals under the gateway's key.
    package func wrapped(for id: InsertionID, by shared: Envelope) throws(EnvelopeError) -> [UInt8] {
        try shared.seal(key.reveal(), for: .value(of: Keys.jobKey(id)))
    }

    /// Reads what `wrapped` wrote.
    package init(unwrapping wrapped: [UInt8], of id: InsertionID, by shared: Envelope) throws(EnvelopeError) {
        let bytes = try shared.open(wrapped, for: .value(of: Keys.jobKey(id)))
        guard let key = GatewayKey(bytes: bytes) else { throw .notAnEnvelope }
        self.init(key)
    }

    package static func == (left: Self, right: Self) -> Bool { left.key == right.key }
}
