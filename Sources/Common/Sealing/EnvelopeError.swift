/// The reason why an envelope did not seal or open. Says nothing of its content.
package enum EnvelopeError: Error, Sendable, Equatable, CustomStringConvertible {
    case notAnEnvelope
    /// Sealed by this gateway, in a version of its payload that this process does not know.
    case unknownVersion(UInt8)
    /// Not sealed with this gateway's key, as far as can be seen.
    case otherKey
    /// Sealed with this gateway's key, and not as it was.
    case wrongSeal
    case cannotSeal

    /// Whether another process may be able to open it: then it is not this one's to give up.
    package var isForOthers: Bool {
        switch self {
        case .unknownVersion, .otherKey: true
        case .notAnEnvelope, .wrongSeal, .cannotSeal: false
        }
    }

    package var description: String {
        switch self {
        case .notAnEnvelope: "not a sealed entry of this gateway"
        case .unknownVersion(let version):
            "of version \(version), which this process does not know: a newer gateway wrote it"
        case .otherKey: "sealed with another GATEWAY_KEY, or damaged"
        case .wrongSeal: "moved or damaged"
        case .cannotSeal: "could not be sealed"
        }
    }
}
