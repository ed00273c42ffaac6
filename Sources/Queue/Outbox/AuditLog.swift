package import Common
package import Logging
internal import NIOConcurrencyHelpers
package import Redis

/// Notes audit events of one process, for the process that keeps the request log. It never waits, and nothing fails
/// because of it. Events that are lost are counted (`gateway/requests/lost`).
package final class AuditLog: Sendable {
    /// Subjects that are remembered so that few rows tell of them. Beyond it all are forgotten, which costs a further
    /// row for each.
    static let most = 10_000

    /// The subject of events of which only one is told in a while.
    private struct Subject: Hashable {
        let kind: AuditKind
        let name: UTF8Text
        let project: UTF8Text?
    }

    /// Brings the events on their way; a service.
    package let records: RecordLog
    private let actor: String
    private let fingerprint: String
    private let ids = InsertionIDGenerator()
    private let subjects = NIOLockedValueBox<[Subject: SparseLog]>([:])

    /// - Parameter role: the role of the process.
    package init(role: Role, redis: RedisClient, envelope: Envelope, logger: Logger) {
        records = RecordLog(redis: redis, envelope: envelope, logger: logger)
        actor = "\(role.rawValue) \(ProcessName.shown)"
        fingerprint = envelope.keyFingerprint
    }

    /// Notes an event.
    /// - Parameters:
    ///   - subject: the object of the event; a name, never a secret.
    ///   - project: nil: it is the operator's.
    ///   - user: the person of the account.
    package func note(
        _ kind: AuditKind, of subject: String?, project: String? = nil, account: String? = nil, user: String? = nil,
        details: AuditDetails = .none
    ) {
        let event = AuditEvent(
            id: ids.next(), kind: kind, actor: actor, project: project, account: account, user: user, subject: subject,
            details: details)
        records.note(event.id) { event.wireBytes }
    }

    /// Notes an event that may come with each request. The first one is noted at once, later ones at most once in the
    /// kind's interval for each subject and project. The row tells how often the event came since the row before.
    /// - Parameters:
    ///   - example: the request that brings it.
    ///   - now: for tests.
    package func noteSparsely(
        _ kind: AuditKind, of subject: String, project: String? = nil, account: String? = nil, user: String? = nil,
        count: Int = 1, example: InsertionID? = nil, now: ContinuousClock.Instant = .now
    ) {
        let key = Subject(kind: kind, name: UTF8Text(subject), project: project.map { UTF8Text($0) })
        let log = subjects.withLockedValue { subjects in
            if let log = subjects[key] { return log }
            if subjects.count >= Self.most { subjects.removeAll(keepingCapacity: true) }
            let log = SparseLog(every: kind.interval)
            subjects[key] = log
            return log
        }
        guard let total = log.note(count, now: now) else { return }
        note(
            kind, of: subject, project: project, account: account, user: user,
            details: .count(total, example: example))
    }

    /// Notes the outcome of reading files again.
    /// - Parameter path: theirs, of which the last part is shown.
    package func note(_ reading: FileReading, at path: String, taken: AuditKind, refused: AuditKind) {
        let name = path.lastPathComponent
        switch reading {
        case .taken(let before, let after): note(taken, of: name, details: .taken(from: before, to: after))
        case .refused(let details): note(refused, of: name, details: details)
        }
    }

    /// Notes each change of the secrets.
    package func follow(_ secrets: SecretsFile) {
        secrets.onReading { [self, path = secrets.path] in
            note($0, at: path, taken: .secretsReloaded, refused: .secretsRefused)
        }
    }

    /// Notes each change of the key that seals what is in Redis.
    package func follow(_ watch: RedisWatch) {
        watch.onKeyChange { [self] kind in
            note(kind, of: "GATEWAY_KEY", details: .ownKey(fingerprint))
        }
    }
}
