package import Common

/// A property of an audit row by which rows are filtered.
package enum AuditField: String, Sendable, CaseIterable {
    case kind, subject, actor, account, user, project
}

/// A selection of audit rows. All of its conditions hold for a row that passes.
package struct AuditFilter: Sendable, Equatable {
    package typealias Condition = FilterCondition<AuditField>

    /// The first moment.
    package var from: Timestamp?
    /// The moment behind the last one.
    package var to: Timestamp?
    package var conditions: [Condition] = []

    package init() {}

    /// Whether a row passes.
    package func holds(_ event: AuditEvent) -> Bool {
        if let from, event.time < from { return false }
        if let to, event.time >= to { return false }
        return conditions.allSatisfy { $0.holds(event.value(of: $0.field).map { [$0] } ?? []) }
    }

    /// The kind that all rows have which pass; nil if there may be several.
    package var onlyKind: AuditKind? {
        for condition in conditions where condition.field == .kind {
            if case .anyOf(let texts) = condition.test, texts.count == 1 { return AuditKind(rawValue: texts[0].text) }
        }
        return nil
    }
}

extension AuditEvent {
    /// The value of a property; nil where it has none.
    package func value(of field: AuditField) -> String? {
        switch field {
        case .kind: kind.rawValue
        case .subject: subject
        case .actor: actor
        case .account: account
        case .user: user
        case .project: project
        }
    }
}
