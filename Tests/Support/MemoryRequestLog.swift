package import Common
internal import NIOConcurrencyHelpers
package import RequestLog

/// The simplest request log: all rows in memory, each looked at for each question. Other stores are compared with it.
package struct MemoryRequestLog: RequestLogStore {
    private let rows = NIOLockedValueBox<[Key: RequestRow]>([:])

    private struct Key: Hashable {
        let project: UTF8Text
        let id: InsertionID
    }

    package init() {}

    package func add(_ rows: [RequestRow]) async throws {
        self.rows.withLockedValue { kept in
            for row in rows { kept[Key(project: UTF8Text(row.project), id: row.id)] = row }
        }
    }

    /// Rows that pass, the newest first; the order within a millisecond is that of the ids.
    package func rows(_ filter: RequestFilter, project: String) -> [RequestRow] {
        rows.withLockedValue { $0.values.filter { $0.project == project && filter.holds($0) } }.sorted { $0.id > $1.id }
    }

    package func page(
        _ filter: RequestFilter, after cursor: PageCursor?, limit: Int, project: String
    ) async throws -> RequestPage {
        // Places are counted from the oldest row on.
        let all = rows(filter, project: project)
        let begin = cursor.map { all.count - Int($0.place) } ?? 0
        let page = all.dropFirst(begin).prefix(limit)
        let left = all.count - begin - page.count
        return RequestPage(
            rows: page.map(\.withoutAttempts), next: left > 0 ? PageCursor(place: UInt64(left)) : nil)
    }

    package func row(_ id: InsertionID, project: String) async throws -> RequestRow? {
        rows.withLockedValue { $0[Key(project: UTF8Text(project), id: id)] }
    }

    package func metrics(_ query: MetricsQuery, project: String) async throws -> MetricsResult {
        let all = rows(query.filter, project: project)
        var byName: [MetricsGroupName: [RequestRow]] = [:]
        for row in all {
            for name in Self.names(of: row, query.groups) { byName[name, default: []].append(row) }
        }
        var groups = byName.map { name, rows in
            MetricsResult.Group(
                name: name, total: Self.values(rows, query), points: Self.points(rows, query))
        }
        groups.sort { left, right in
            let counts = (byName[left.name ?? .init([])]?.count ?? 0, byName[right.name ?? .init([])]?.count ?? 0)
            return counts.0 != counts.1 ? counts.0 > counts.1 : Self.label(left) < Self.label(right)
        }
        let others = groups.dropFirst(query.groupLimit).flatMap { byName[$0.name ?? .init([])] ?? [] }
        groups = Array(groups.prefix(query.groupLimit))
        if !others.isEmpty {
            groups.append(.init(name: nil, total: Self.values(others, query), points: Self.points(others, query)))
        }
        return MetricsResult(total: Self.values(all, query), groups: groups)
    }

    package func metadataKeys(startingWith start: String, limit: Int, project: String) async throws -> [String] {
        let keys = rows(RequestFilter(), project: project).flatMap { $0.metadata.map(\.key) }
        return Self.distinct(keys, from: start, limit: limit)
    }

    package func metadataValues(
        of key: String, startingWith start: String, limit: Int, project: String
    ) async throws -> [String] {
        let values = rows(RequestFilter(), project: project).flatMap { $0.values(of: .metadata(UTF8Text(key))) }
        return Self.distinct(values, from: start, limit: limit)
    }

    private static func distinct(_ texts: [String], from start: String, limit: Int) -> [String] {
        Set(texts: texts).sorted().map(\.text).filter { $0.hasPrefix(start) }.prefix(limit).map { $0 }
    }

    /// Orders as bytes do, with what has no value last.
    private static func label(_ group: MetricsResult.Group) -> String {
        (group.name?.values ?? []).map { ($0.map { "0" + $0.text } ?? "1") + "\u{0}\u{0}" }.joined()
    }

    private static func names(of row: RequestRow, _ groups: [MetricsQuery.Grouping]) -> [MetricsGroupName] {
        groups.reduce([MetricsGroupName([])]) { names, group in
            let values: [UTF8Text?] =
                switch group {
                case .project: [UTF8Text(row.project)]
                case .field(let field): row.values(of: field).map { UTF8Text($0) }
                }
            return names.flatMap { name in
                (values.isEmpty ? [nil] : values).map { MetricsGroupName(name.values + [$0]) }
            }
        }
    }

    private static func points(_ rows: [RequestRow], _ query: MetricsQuery) -> [MetricsResult.Point] {
        guard let interval = query.interval else { return [] }
        return Dictionary(grouping: rows) { $0.time.milliseconds / interval * interval }
            .sorted { $0.key < $1.key }.map {
                .init(time: Timestamp(milliseconds: $0.key), values: values($0.value, query))
            }
    }

    private static func values(_ rows: [RequestRow], _ query: MetricsQuery) -> MetricsResult.Values {
        query.measures.map { measure in
            let known = measure.number.map { number in rows.compactMap { $0.value(of: number) } } ?? []
            switch measure {
            case .count(.requests): return Double(rows.count)
            case .count(.errors): return Double(rows.count { $0.isError })
            case .count(.limitHits): return Double(rows.count { $0.isLimitHit })
            case .sum: return known.isEmpty ? nil : known.reduce(0, +)
            case .percentile(let percentile, _):
                // Just so many values stand before it that with it they are the part that is asked for.
                let (whole, rest) = (percentile.rawValue * known.count).quotientAndRemainder(dividingBy: 100)
                return known.isEmpty ? nil : known.sorted()[rest == 0 ? whole - 1 : whole]
            }
        }
    }
}

extension RequestRow {
    /// As pages have it.
    package var withoutAttempts: RequestRow {
        var row = self
        row.attempts = []
        return row
    }
}
