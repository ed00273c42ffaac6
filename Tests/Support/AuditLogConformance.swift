package import Common
package import RequestLog

/// What any store of audit rows must do, checked with random rows against `MemoryAuditLog`. A check that fails throws
/// what was wrong.
package struct AuditLogConformance {
    private static let texts = SampleRequests.texts + ["rules.yaml", "team-a", "team-b"]
    private static let kinds = AuditKind.known + [AuditKind(rawValue: "of.a.later.version")]

    private let store: any AuditLogStore
    private let model = MemoryAuditLog()
    private var samples: SampleRequests
    private let seed: UInt64

    /// - Parameter store: an empty one.
    package init(store: any AuditLogStore, seed: UInt64) {
        self.store = store
        self.seed = seed
        samples = SampleRequests(seed: seed)
    }

    package mutating func event() -> AuditEvent {
        AuditEvent(
            id: samples.id(), kind: samples.random.pick(Self.kinds),
            actor: samples.random.pick(["serve a:1", "ingress b:2"]),
            project: optional(SampleRequests.projects), account: optional(Self.texts), user: optional(Self.texts),
            subject: optional(Self.texts), details: .count(samples.random.below(9), example: nil))
    }

    private mutating func optional(_ texts: [String]) -> String? {
        samples.random.chance(oneIn: 3) ? nil : samples.random.pick(texts)
    }

    /// Adds rows in batches of any size, some of them twice, also with other values.
    package mutating func add(rows count: Int) async throws {
        var added: [AuditEvent] = []
        while added.count < count {
            var batch: [AuditEvent] = []
            for _ in 0..<(1 + samples.random.below(min(60, count - added.count))) {
                var event = event()
                if !added.isEmpty, samples.random.chance(oneIn: 8) { event.id = samples.random.pick(added).id }
                batch.append(event)
            }
            added += batch
            try await store.add(batch)
            try await model.add(batch)
        }
    }

    /// StatusPages of random filters have the rows that the model has, in its order, and each row once; each asker
    /// sees what is theirs.
    package mutating func checkPages(rounds: Int) async throws {
        for _ in 0..<rounds {
            let filter = filter()
            let asker = asker()
            let found = try await rows(filter, limit: 1 + samples.random.below(40), for: asker)
            let wanted = model.rows(filter, for: asker)
            try expect(found == wanted, "\(filter) for \(asker): \(found.count) rows, not \(wanted.count)")
        }
    }

    /// A walk over pages, with rows added between them, visits each row that was there once.
    package mutating func checkPagesWhileRowsAreAdded() async throws {
        let asker = LogAsker(project: "p", isOperator: true)
        let before = model.rows(AuditFilter(), for: asker).map(\.id)
        var visited: [InsertionID] = []
        var cursor: PageCursor?
        repeat {
            let page = try await store.page(AuditFilter(), after: cursor, limit: 7, for: asker)
            visited += page.rows.map(\.id)
            cursor = page.next
            try await add(rows: 3)
        } while cursor != nil
        try expect(Set(visited).count == visited.count, "a row was visited twice")
        try expect(Set(before).isSubset(of: visited), "a row was left out")
    }

    private mutating func asker() -> LogAsker {
        LogAsker(
            project: samples.random.pick(SampleRequests.projects + ["unknown"]),
            isOperator: samples.random.chance(oneIn: 2))
    }

    private mutating func filter() -> AuditFilter {
        var filter = AuditFilter()
        if samples.random.chance(oneIn: 3) {
            filter.from = SampleRequests.start + samples.random.below(samples.span)
        }
        if samples.random.chance(oneIn: 3) {
            filter.to = (filter.from ?? SampleRequests.start) + samples.random.below(samples.span) + 1
        }
        for _ in 0..<samples.random.below(3) {
            filter.conditions.append(.init(samples.random.pick(AuditField.allCases), test()))
        }
        if samples.random.chance(oneIn: 3) {
            filter.conditions.append(.init(.kind, .anyOf([UTF8Text(samples.random.pick(Self.kinds).rawValue)])))
        }
        return filter
    }

    private mutating func test() -> RequestFilter.Test {
        let text = samples.random.pick(Self.texts + Self.kinds.map(\.rawValue) + ["p", "serve a:1"])
        switch samples.random.below(6) {
        case 0, 1: return .anyOf([UTF8Text(text), UTF8Text(samples.random.pick(Self.texts))])
        case 2: return .noneOf([UTF8Text(text)])
        case 3: return .contains(String(text.prefix(2)))
        case 4: return .startsWith(String(text.prefix(2)))
        default: return samples.random.chance(oneIn: 2) ? .present : .absent
        }
    }

    /// All rows of a filter, page by page.
    private func rows(_ filter: AuditFilter, limit: Int, for asker: LogAsker) async throws -> [AuditEvent] {
        var rows: [AuditEvent] = []
        var cursor: PageCursor?
        repeat {
            let page = try await store.page(filter, after: cursor, limit: limit, for: asker)
            try expect(page.rows.count <= limit, "a page of \(page.rows.count) rows, not \(limit)")
            rows += page.rows
            cursor = page.next
        } while cursor != nil
        return rows
    }

    private func expect(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws {
        if !holds { throw RequestLogConformance.Failure(description: "seed \(seed): \(otherwise())") }
    }
}
