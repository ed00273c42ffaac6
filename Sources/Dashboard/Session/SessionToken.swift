package import Common

/// A session of the dashboard, as its cookie holds it: which key opened it, and until when. No process remembers it,
/// so any ingress accepts it, and it ends with its key.
package struct SessionToken: Sendable, Equatable {
    /// The life of a session.
    package static let life = Duration.seconds(12 * 3600)
    package static let cookie = "gateway_dashboard"

    /// The key's fingerprint, from which the key cannot be found.
    package var fingerprint: [UInt8]
    package var expiry: Timestamp

    package init(fingerprint: [UInt8], expiry: Timestamp) {
        self.fingerprint = fingerprint
        self.expiry = expiry
    }

    /// The token that the gateway has sealed. Nil for one that is over, damaged, or another gateway's.
    package init?(_ text: String, now: Timestamp, envelope: Envelope) {
        guard text.utf8.count <= Self.mostDigits, let sealed = Base64.decode(text.utf8),
            let plain = try? envelope.open(sealed, for: .session), plain.count > 8
        else { return nil }
        expiry = Timestamp(milliseconds: plain.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
        fingerprint = Array(plain.dropFirst(8))
        guard now < expiry, expiry - now <= Self.life else { return nil }
    }

    /// More than any token has.
    private static let mostDigits = 512

    /// - Throws: if the system has no randomness.
    package func sealed(by envelope: Envelope) throws(EnvelopeError) -> String {
        let time = (0..<8).map { UInt8(truncatingIfNeeded: expiry.milliseconds >> UInt64(56 - 8 * $0)) }
        return Self.base64(try envelope.seal(time + fingerprint, for: .session))
    }

    /// The header `Set-Cookie` that begins the session: for the dashboard's pages alone, and out of reach of scripts
    /// and of other sites.
    /// - Parameter isSecure: whether the browser must send it over TLS alone.
    package static func cookie(_ text: String, isSecure: Bool) -> HeaderField {
        let age = text.isEmpty ? 0 : life.components.seconds
        return HeaderField(
            "set-cookie",
            "\(cookie)=\(text); Path=\(DashboardRoute.root); Max-Age=\(age); HttpOnly; SameSite=Strict"
                + (isSecure ? "; Secure" : ""))
    }

    /// The token among a browser's cookies (RFC 6265 §4.2.1).
    package static func text(in cookies: String?) -> String? {
        for pair in (cookies ?? "").split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Substring(parts[0].utf8.drop { $0 == UInt8(ascii: " ") })
            if parts.count == 2, name == cookie[...] { return String(parts[1]) }
        }
        return nil
    }

    /// URL-safe, without padding (RFC 4648 §5).
    static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text: [UInt8] = []
        var (bits, pending) = (UInt32(0), UInt32(0))
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            pending += 8
            while pending >= 6 {
                pending -= 6
                text.append(digits[Int(bits >> pending & 63)])
            }
        }
        if pending > 0 { text.append(digits[Int(bits << (6 - pending) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
