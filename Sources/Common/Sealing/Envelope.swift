internal import Crypto
internal import NIOConcurrencyHelpers

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Seals what the gateway puts into Redis and opens it again: AES-256-GCM under a key that only the gateway's own
/// processes share.
///
/// Each process seals under a key of its own, derived (HKDF-SHA256) from the shared key and a random salt, with a
/// counter as the nonce: random nonces under one key would be safe for 2³² messages only (NIST SP 800-38D §8.3), which
/// a busy fleet writes in days.
///
/// Form: the payload's version (1 byte) · salt (16) · counter (8) · ciphertext · tag (16). The salt's last four bytes
/// are a mark (HMAC) of the others under the shared key: by it what this gateway sealed is told from what another key
/// sealed, even where it does not open. Version and salt stay in their places in all versions to come; versions from 2
/// on are authenticated with the context.
package final class Envelope: Sendable {
    /// Bytes that sealing adds.
    package static let overhead = 1 + saltLength + counterLength + tagLength

    private static let saltLength = 16
    private static let markLength = 4
    private static let counterLength = 8
    private static let tagLength = 16
    /// Possible versions where nothing else shows that bytes are an envelope. No text begins with one of these.
    private static let plausibleVersions: ClosedRange<UInt8> = 1...8
    /// The number of other processes' keys that are remembered. A fleet has fewer; at the bound all are derived anew.
    private static let rememberedKeys = 1024

    private struct State {
        var counter: UInt64 = 0
        var keys: [[UInt8]: SymmetricKey] = [:]
    }

    private let shared: SymmetricKey
    private let salt: [UInt8]
    private let sealingKey: SymmetricKey
    private let fingerprintKey: SymmetricKey
    private let markKey: SymmetricKey
    /// Stands for the shared key, and says nothing of it: two processes have the same one if they share the key. 32
    /// hexadecimal digits.
    package let keyFingerprint: String
    private let state = NIOLockedValueBox(State())

    /// - Parameter key: the shared key; 32 bytes.
    package init(key: GatewayKey) {
        shared = SymmetricKey(data: key.reveal())
        var generator = SystemRandomNumberGenerator()
        markKey = Self.derive(from: shared, salt: [], for: "mark")
        let random = (0..<Self.saltLength - Self.markLength).map { _ in
            UInt8.random(in: .min ... .max, using: &generator)
        }
        salt = random + Self.mark(of: random, markKey)
        sealingKey = Self.derive(from: shared, salt: salt)
        keyFingerprint = Self.derive(from: shared, salt: [], for: "key fingerprint").withUnsafeBytes { bytes in
            String(hexadecimal: bytes.prefix(16))
        }
        fingerprintKey = Self.derive(from: shared, salt: [], for: "fingerprint")
    }

    /// - Parameter context: the owner of the bytes (the entry's key and id). They open only in that context.
    package func seal(_ plaintext: [UInt8], for context: Context) throws(EnvelopeError) -> [UInt8] {
        let counter = state.withLockedValue { state in
            state.counter += 1
            return state.counter
        }
        var nonceBytes = [UInt8](repeating: 0, count: 12)
        for byte in 0..<8 { nonceBytes[4 + byte] = UInt8(truncatingIfNeeded: counter >> UInt64(56 - 8 * byte)) }
        do {
            let nonce = try AES.GCM.Nonce(data: nonceBytes)
            let box = try AES.GCM.seal(
                plaintext, using: sealingKey, nonce: nonce, authenticating: context.authenticated(at: context.version))
            var sealed: [UInt8] = []
            sealed.reserveCapacity(plaintext.count + Self.overhead)
            sealed.append(context.version)
            sealed.append(contentsOf: salt)
            sealed.append(contentsOf: nonceBytes[4...])
            sealed.append(contentsOf: box.ciphertext)
            sealed.append(contentsOf: box.tag)
            return sealed
        } catch {
            throw .cannotSeal
        }
    }

    /// - Throws: `EnvelopeError`. Bytes for others (``EnvelopeError/isForOthers``) are damaged only in the reader's
    ///   eyes: leave them where they are.
    package func open(_ sealed: [UInt8], for context: Context) throws(EnvelopeError) -> [UInt8] {
        guard sealed.count >= Self.overhead else { throw .notAnEnvelope }
        let salt = Array(sealed[1..<1 + Self.saltLength])
        let version = sealed[0]
        guard (1...context.version).contains(version) else {
            if isMarked(salt) { throw .unknownVersion(version) }
            // A newer version of the gateway with another key, or bytes that are nothing of a gateway's.
            throw Self.plausibleVersions.contains(version) ? .otherKey : .notAnEnvelope
        }
        let nonceStart = 1 + Self.saltLength
        let textStart = nonceStart + Self.counterLength
        let textEnd = sealed.count - Self.tagLength
        let known: SymmetricKey? = salt == self.salt ? sealingKey : state.withLockedValue { $0.keys[salt] }
        let key = known ?? Self.derive(from: shared, salt: salt)
        do {
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: [0, 0, 0, 0] + sealed[nonceStart..<textStart]),
                ciphertext: sealed[textStart..<textEnd], tag: sealed[textEnd...])
            let plaintext = try AES.GCM.open(box, using: key, authenticating: context.authenticated(at: version))
            if known == nil { remember(key, salt: salt) }
            return [UInt8](plaintext)
        } catch {
            throw isMarked(salt) ? .wrongSeal : .otherKey
        }
    }

    /// Whether a salt is one of this gateway's. Those of version 0.1.0 have no mark.
    private func isMarked(_ salt: [UInt8]) -> Bool {
        let random = Array(salt.dropLast(Self.markLength))
        return salt.suffix(Self.markLength).elementsEqual(Self.mark(of: random, markKey))
    }

    private static func mark(of random: [UInt8], _ key: SymmetricKey) -> ArraySlice<UInt8> {
        Array(HMAC<SHA256>.authenticationCode(for: random, using: key)).prefix(markLength)
    }

    /// A fingerprint (HMAC-SHA256) of some texts, the same in all processes that share the key, and of no use to anyone
    /// else.
    package func fingerprint(of parts: [[UInt8]]) -> [UInt8] {
        var code = HMAC<SHA256>(key: fingerprintKey)
        for part in parts {
            // With its length, so that no two lists run into the same bytes.
            withUnsafeBytes(of: UInt64(part.count).littleEndian) { code.update(data: Array($0)) }
            code.update(data: part)
        }
        return Array(code.finalize())
    }

    /// Only keys that have opened something are remembered, so garbage cannot push the good ones out.
    private func remember(_ key: SymmetricKey, salt: [UInt8]) {
        state.withLockedValue { state in
            if state.keys.count >= Self.rememberedKeys { state.keys.removeAll(keepingCapacity: true) }
            state.keys[salt] = key
        }
    }

    private static func derive(
        from shared: SymmetricKey, salt: [UInt8], for purpose: String = "envelope"
    ) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: shared, salt: salt, info: Array("metadata-gateway \(purpose)".utf8), outputByteCount: 32)
    }
}
