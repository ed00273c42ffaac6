internal import FoundationEssentials

/// The key that seals what travels through Redis: 32 bytes, the same in all processes of one gateway. It prints as
/// `***`.
package struct GatewayKey: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The size of a key of AES-256.
    package static let byteCount = 32

    private let bytes: [UInt8]

    /// Nil unless there are 32 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Nil unless `base64` is 32 bytes in standard base64, as `openssl rand -base64 32` prints them.
    package init?(base64: String) {
        guard let data = Data(base64Encoded: base64) else { return nil }
        self.init(bytes: Array(data))
    }

    /// A new key of the system's randomness.
    package static func random() -> GatewayKey {
        var generator = SystemRandomNumberGenerator()
        return GatewayKey(valid: (0..<byteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    private init(valid bytes: [UInt8]) { self.bytes = bytes }

    /// The key itself. Call this only where something is sealed or opened.
    package func reveal() -> [UInt8] { bytes }

    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
