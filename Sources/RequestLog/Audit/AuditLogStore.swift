package import Common

/// A place that keeps audit rows, which are never changed.
package protocol AuditLogStore: Sendable {
    /// Keeps rows, all of them or none. A row whose id is there already stays as it is.
    func add(_ events: [AuditEvent]) async throws

    /// Rows that pass a filter, the newest first: those of the asker's project, and for the operator those that belong
    /// to no project. Following `next` visits each row once, also while rows are added.
    func page(
        _ filter: AuditFilter, after cursor: PageCursor?, limit: Int, for asker: LogAsker
    ) async throws -> RowPage<AuditEvent>
}

/// The client that asks a question about the logs.
package struct LogAsker: Sendable, Equatable {
    package var project: String
    /// Whether it is the operator, who sees what belongs to no project too.
    package var isOperator: Bool

    package init(project: String, isOperator: Bool = false) {
        self.project = project
        self.isOperator = isOperator
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.project == right.project && left.isOperator == right.isOperator
    }
}
