package import Common

/// Shows that a form was made for the session which sends it. Another site's page cannot know it.
package struct FormToken: Sendable {
    /// The name of the form's field.
    package static let field = "token"

    package let text: String

    /// - Parameters:
    ///   - session: the browser's identity: its session's cookie, or the visitor's identity where there is no session.
    ///   - envelope: its key goes into the token, so that all ingresses know it and no one else can make it.
    package init(session: String, envelope: Envelope) {
        text = String(hexadecimal: envelope.fingerprint(of: [Array("dashboard form".utf8), Array(session.utf8)]))
    }

    /// Whether a form has it. The time that this takes tells nothing of how much is right.
    package func matches(_ sent: String?) -> Bool {
        guard let sent, sent.utf8.count == text.utf8.count else { return false }
        return zip(text.utf8, sent.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
