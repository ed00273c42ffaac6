internal import Common
package import RequestLog

/// What any store of the request log must do, checked with random rows against `MemoryRequestLog`. A check that fails
/// throws what was wrong.
package struct RequestLogConformance {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private let store: any RequestLogStore
    private let model = MemoryRequestLog()
    private var samples: SampleRequests
    private let seed: UInt64

    /// - Parameter store: an empty one.
    package init(store: any RequestLogStore, seed: UInt64) {
        self.store = store
        self.seed = seed
        samples = SampleRequests(seed: seed)
    }

    /// Adds rows in batches of any size, some of them twice with other values.
    package mutating func add(rows count: Int) async throws {
        var added: [RequestRow] = []
        while added.count < count {
            var batch: [RequestRow] = []
            for _ in 0..<(1 + samples.random.below(min(60, count - added.count))) {
                var row = samples.row()
                if !added.isEmpty, samples.random.chance(oneIn: 10) {
                    let old = samples.random.pick(added)
                    let changed = row
                    row = RequestRow(id: old.id, project: old.project, outcome: changed.outcome, status: changed.status)
                    row.metadata = changed.metadata
                    row.attempts = changed.attempts
                }
                batch.append(row)
            }
            added += batch
            try await store.add(batch)
            try await model.add(batch)
        }
    }

    /// StatusPages of random filters have the rows that the model has, in its order, and each row once.
    package mutating func checkPages(rounds: Int) async throws {
        for _ in 0..<rounds {
            let filter = samples.filter()
            let project = samples.random.pick(SampleRequests.projects)
            let found = try await rows(filter, limit: 1 + samples.random.below(40), project: project)
            let wanted = model.rows(filter, project: project).map(\.withoutAttempts)
            try expect(Self.ordered(found), "the rows of \(filter) are not in the order of time")
            try expect(
                found.sorted { $0.id > $1.id } == wanted,
                "\(filter) of `\(project)`: \(found.count) rows, not \(wanted.count)")
        }
    }

    /// Each row by its id, with its attempts, for its own project alone.
    package func checkRows() async throws {
        for project in SampleRequests.projects {
            for row in model.rows(RequestFilter(), project: project) {
                let found = try await store.row(row.id, project: project)
                try expect(found == row, "the row \(row.id) is \(String(describing: found)), not \(row)")
                for other in SampleRequests.projects where other != project {
                    try expect(try await store.row(row.id, project: other) == nil, "\(other) sees a row of \(project)")
                }
            }
        }
        let unknown = InsertionID(milliseconds: SampleRequests.start.milliseconds, counter: 9, randomBits: 1)
        try expect(try await store.row(unknown, project: "p") == nil, "a row is found that never was")
    }

    /// A walk over pages, with rows added between them, visits each row that was there once.
    package mutating func checkPagesWhileRowsAreAdded() async throws {
        let before = model.rows(RequestFilter(), project: "p").map(\.id)
        var visited: [InsertionID] = []
        var cursor: PageCursor?
        repeat {
            let page = try await store.page(RequestFilter(), after: cursor, limit: 7, project: "p")
            visited += page.rows.map(\.id)
            cursor = page.next
            try await add(rows: 3)
        } while cursor != nil
        try expect(Set(visited).count == visited.count, "a row was visited twice")
        try expect(Set(before).isSubset(of: visited), "a row was left out")
    }

    /// Charts are those of the model.
    package mutating func checkMetrics(rounds: Int) async throws {
        for _ in 0..<rounds {
            var query = MetricsQuery(filter: samples.filter(), measures: MetricsMeasure.all)
            for _ in 0..<samples.random.below(3) {
                query.groups.append(samples.random.chance(oneIn: 6) ? .project : .field(samples.field()))
            }
            query.filter.from = query.filter.from ?? SampleRequests.start
            query.filter.to = query.filter.to ?? SampleRequests.start + 7_200_000
            query.interval = samples.random.pick([nil, 60_000, 900_000, 7_200_000])
            query.groupLimit = samples.random.pick([1, 3, 1000])
            let found = try await store.metrics(query, project: "p")
            let wanted = try await model.metrics(query, project: "p")
            try expect(found == wanted, "\(query): \(found), not \(wanted)")
        }
    }

    /// For each metadata key, the sums over its values and over rows without it are the totals.
    package func checkSums() async throws {
        let sums: [MetricsMeasure] = [
            .count(.requests), .count(.errors), .count(.limitHits), .sum(.inputTokens), .sum(.outputTokens),
            .sum(.cost),
        ]
        for key in SampleRequests.keys + ["unknown"] {
            for limit in [2, 1000] {
                var query = MetricsQuery(filter: RequestFilter(), measures: sums)
                query.groups = [.field(.metadata(UTF8Text(key)))]
                query.groupLimit = limit
                let result = try await store.metrics(query, project: "p")
                let added = sums.indices.map { index in result.groups.reduce(0) { $0 + ($1.total[index] ?? 0) } }
                try expect(added == result.total.map { $0 ?? 0 }, "`\(key)`: \(added), not \(result.total)")
                let all = model.rows(RequestFilter(), project: "p").count
                try expect(result.total[0] == Double(all), "\(String(describing: result.total[0])) rows, not \(all)")
            }
        }
    }

    /// Suggestions are those of the model.
    package func checkSuggestions() async throws {
        for project in SampleRequests.projects {
            for (start, limit) in [("", 100), ("e", 100), ("é", 100), ("", 2), ("z", 5)] {
                let keys = try await store.metadataKeys(startingWith: start, limit: limit, project: project)
                let wanted = try await model.metadataKeys(startingWith: start, limit: limit, project: project)
                try expect(
                    Set(texts: wanted).isSubset(of: Set(texts: keys)) || keys.count == limit,
                    "keys: \(keys), not \(wanted)")
                for key in SampleRequests.keys {
                    let values = try await store.metadataValues(
                        of: key, startingWith: start, limit: limit, project: project)
                    let wanted = try await model.metadataValues(
                        of: key, startingWith: start, limit: limit, project: project)
                    try expect(
                        Set(texts: wanted).isSubset(of: Set(texts: values)) || values.count == limit,
                        "values of `\(key)`: \(values), not \(wanted)")
                    try expect(values.count <= limit && values.allSatisfy { $0.hasPrefix(start) }, "\(values)")
                }
            }
        }
    }

    /// All rows of a filter, page by page.
    private func rows(_ filter: RequestFilter, limit: Int, project: String) async throws -> [RequestRow] {
        var rows: [RequestRow] = []
        var cursor: PageCursor?
        repeat {
            let page = try await store.page(filter, after: cursor, limit: limit, project: project)
            try expect(page.rows.count <= limit, "a page of \(page.rows.count) rows, not \(limit)")
            rows += page.rows
            cursor = page.next
        } while cursor != nil
        return rows
    }

    private static func ordered(_ rows: [RequestRow]) -> Bool {
        zip(rows, rows.dropFirst()).allSatisfy { $0.time >= $1.time }
    }

    private func expect(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws {
        if !holds { throw Failure(description: "seed \(seed): \(otherwise())") }
    }
}
