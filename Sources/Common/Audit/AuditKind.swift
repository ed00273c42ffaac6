/// The kind of an audit event. The words stand in files and in filters, so none ever changes. A later version may have
/// further kinds, whose rows are kept all the same.
package struct AuditKind: RawRepresentable, Sendable, Hashable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// The operator's rules were read again and are in force.
    package static let rulesReloaded = AuditKind(rawValue: "rules.reloaded")
    /// The files of the rules have changed and cannot be used; the rules stay as they were.
    package static let rulesRefused = AuditKind(rawValue: "rules.refused")
    /// The clients' keys were read again and are in force.
    package static let keysReloaded = AuditKind(rawValue: "keys.reloaded")
    /// The file of the clients' keys has changed and cannot be used; the keys stay as they were.
    package static let keysRefused = AuditKind(rawValue: "keys.refused")
    /// The secrets were read again and are in force.
    package static let secretsReloaded = AuditKind(rawValue: "secrets.reloaded")
    /// The file of the secrets has changed and cannot be used; the secrets stay as they were.
    package static let secretsRefused = AuditKind(rawValue: "secrets.refused")
    /// A client's key let requests in.
    package static let keyUsed = AuditKind(rawValue: "key.used")
    /// Requests passed which a rule would have refused if its mode was not `audit`.
    package static let ruleAudited = AuditKind(rawValue: "rule.audited")
    /// A process wrote the fingerprint of its GATEWAY_KEY into a Redis that had none.
    package static let sealKeyWritten = AuditKind(rawValue: "seal.key_written")
    /// A process that is alone with its Redis put the fingerprint of its GATEWAY_KEY in another one's place.
    package static let sealKeyReplaced = AuditKind(rawValue: "seal.key_replaced")
    /// A running process found that Redis belongs to another GATEWAY_KEY by now.
    package static let sealKeyDiffers = AuditKind(rawValue: "seal.key_differs")
    /// Entries of a stream do not open with this process's GATEWAY_KEY.
    package static let sealUnreadable = AuditKind(rawValue: "seal.unreadable")
    /// The operator had the job of a dead letter queued again.
    package static let deadLetterRequeued = AuditKind(rawValue: "dead_letter.requeued")
    /// The operator deleted a dead letter.
    package static let deadLetterDeleted = AuditKind(rawValue: "dead_letter.deleted")

    /// The kinds of this version.
    package static let known: [AuditKind] = [
        rulesReloaded, rulesRefused, keysReloaded, keysRefused, secretsReloaded, secretsRefused, keyUsed, ruleAudited,
        sealKeyWritten, sealKeyReplaced, sealKeyDiffers, sealUnreadable, deadLetterRequeued, deadLetterDeleted,
    ]

    /// The time within which at most one row tells of the same subject, for kinds that may come with each request.
    package var interval: Duration { self == .keyUsed ? .seconds(3600) : .seconds(60) }

    package static func == (left: Self, right: Self) -> Bool { left.rawValue == right.rawValue }
}
