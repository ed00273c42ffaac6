package import Common
internal import NIOConcurrencyHelpers
package import RequestLog

/// The simplest audit log: all rows in memory, each looked at for each question. Other stores are compared with it.
package struct MemoryAuditLog: AuditLogStore {
    private let events = NIOLockedValueBox<[InsertionID: AuditEvent]>([:])

    package init() {}

    package func add(_ events: [AuditEvent]) async throws {
        self.events.withLockedValue { kept in
            for event in events where kept[event.id] == nil { kept[event.id] = event }
        }
    }

    /// Rows that pass, the newest first.
    package func rows(_ filter: AuditFilter, for asker: LogAsker) -> [AuditEvent] {
        events.withLockedValue { events in
            events.values.filter { event in
                let isSeen = event.project.map { $0 == asker.project } ?? asker.isOperator
                return isSeen && filter.holds(event)
            }
        }.sorted { $0.id > $1.id }
    }

    package func page(
        _ filter: AuditFilter, after cursor: PageCursor?, limit: Int, for asker: LogAsker
    ) async throws -> RowPage<AuditEvent> {
        // Places are counted from the oldest row on.
        let all = rows(filter, for: asker)
        let begin = cursor.map { all.count - Int($0.place) } ?? 0
        let page = all.dropFirst(begin).prefix(limit)
        let left = all.count - begin - page.count
        return RowPage(rows: Array(page), next: left > 0 ? PageCursor(place: UInt64(left)) : nil)
    }
}
