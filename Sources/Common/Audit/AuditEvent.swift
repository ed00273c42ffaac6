/// One thing that was done to the gateway, or that it noticed, as the audit log keeps it. It holds no key, no prompt
/// and no value of metadata.
package struct AuditEvent: Sendable, Equatable {
    /// The first byte of one on its way through Redis. No record of a request begins with it.
    package static let form: UInt8 = 2

    /// The row's identity and time: the same id twice is one row.
    package var id: InsertionID
    package var kind: AuditKind
    /// The process that tells of it: its command, its machine and its number there.
    package var actor: String
    /// Nil: it is the operator's.
    package var project: String?
    /// The account that did it, where a client's key was used.
    package var account: String?
    package var user: String?
    /// The object of the event: a file's name, or the id of a rule or a key.
    package var subject: String?
    package var details: AuditDetails

    package init(
        id: InsertionID, kind: AuditKind, actor: String, project: String? = nil, account: String? = nil,
        user: String? = nil, subject: String? = nil, details: AuditDetails = .none
    ) {
        self.id = id
        self.kind = kind
        self.actor = actor
        self.project = project
        self.account = account
        self.user = user
        self.subject = subject
        self.details = details
    }

    /// The time at which the event was noticed.
    package var time: Timestamp { id.time }

    package static func == (left: Self, right: Self) -> Bool {
        left.id == right.id && left.kind == right.kind && left.actor == right.actor && left.project == right.project
            && left.account == right.account && left.user == right.user && left.subject == right.subject
            && left.details == right.details
    }
}

extension AuditEvent {
    private enum Tag {
        static let id: UInt8 = 1
        static let kind: UInt8 = 2
        static let actor: UInt8 = 3
        static let project: UInt8 = 4
        static let account: UInt8 = 5
        static let user: UInt8 = 6
        static let subject: UInt8 = 7
        static let details: UInt8 = 8
    }

    /// The event as bytes, ready to be sealed.
    package var wireBytes: [UInt8] {
        var writer = WireWriter(reserving: 256 + details.json.utf8.count)
        writer.field(Tag.id, id.description)
        writer.field(Tag.kind, kind.rawValue)
        writer.field(Tag.actor, actor)
        writer.field(Tag.project, project)
        writer.field(Tag.account, account)
        writer.field(Tag.user, user)
        writer.field(Tag.subject, subject)
        writer.field(Tag.details, details.json)
        return [Self.form] + writer.bytes
    }

    /// Reads an event from what `wireBytes` wrote.
    package init(wireBytes: [UInt8]) throws(WireError) {
        guard wireBytes.first == Self.form else { throw .badField }
        var reader = WireReader(Array(wireBytes.dropFirst()))
        var id: InsertionID?
        var (kind, actor) = ("", "")
        var (project, account, user, subject): (String?, String?, String?, String?)
        var details = AuditDetails.none
        while let (tag, value) = try reader.next() {
            switch tag {
            case Tag.id: id = InsertionID(try WireReader.string(value))
            case Tag.kind: kind = try WireReader.string(value)
            case Tag.actor: actor = try WireReader.string(value)
            case Tag.project: project = try WireReader.string(value)
            case Tag.account: account = try WireReader.string(value)
            case Tag.user: user = try WireReader.string(value)
            case Tag.subject: subject = try WireReader.string(value)
            case Tag.details: details = AuditDetails(json: try WireReader.string(value))
            default: continue
            }
        }
        guard let id, !kind.isEmpty else { throw .missingField }
        self.init(
            id: id, kind: AuditKind(rawValue: kind), actor: actor, project: project, account: account, user: user,
            subject: subject, details: details)
    }
}
