internal import Common
internal import GRDB
internal import RequestLog

/// Makes a chart of the rows that pass its filter.
struct RequestChart {
    /// The terms by which a row is grouped; 0 for none. Terms are numbered from 1 on.
    private typealias Key = SIMD4<UInt32>

    private let query: MetricsQuery
    private let project: String
    /// Of each group of the query; nil where all rows are in one.
    private let fields: [UInt32?]
    private var table: MetricsTable
    private var numbers: [Key: Int] = [:]
    private var keys: [Key] = []
    private var count = 0

    init(_ query: MetricsQuery, project: String, number: Int64, _ db: Database) throws {
        self.query = query
        self.project = project
        fields = try query.groups.map { group in
            switch group {
            case .project: nil
            case .field(let field): try RowTest.number(of: field, project: number, db)
            }
        }
        table = MetricsTable(query)
    }

    /// - Throws: `TooManyRows`.
    static func result(_ query: MetricsQuery, project: String, _ db: Database) throws -> MetricsResult {
        guard let number = try TermBook.number(ofKnownProject: project, db),
            var scan = try RequestScan(query.filter, project: number, db)
        else { return MetricsTable(query).result(names: []) }
        var chart = try RequestChart(query, project: project, number: number, db)
        try scan.all { rows, _ in try chart.add(rows) }
        return chart.table.result(names: try chart.names(&scan.texts, db))
    }

    private mutating func add(_ rows: StatementRows) throws {
        count += 1
        guard count <= FilterLimits.chartRows else { throw TooManyRows() }
        let flags = RequestFlags(rawValue: rows.integer(RequestRows.Column.flags.rawValue))
        let groups = groups(of: rows.bytes(RequestRows.Column.terms.rawValue))
        table.add(
            time: RequestPlace.milliseconds(of: rows.integer(RequestRows.Column.place.rawValue)), groups: groups,
            isError: flags.contains(.error), isLimitHit: flags.contains(.limitHit)
        ) { rows.value(of: $0) }
    }

    /// The numbers of a row's groups: one, or several where it has several values.
    private mutating func groups(of terms: UnsafeRawBufferPointer) -> [Int] {
        var keys: [Key] = [Key()]
        for (index, field) in fields.enumerated() {
            guard let field else { continue }
            guard field == TermField.of(.team) || field == TermField.of(.rule) else {
                let term = TermList.first(of: field, in: terms) ?? 0
                for place in keys.indices { keys[place][index] = term }
                continue
            }
            var values: [UInt32] = []
            _ = TermList.contains(field, in: terms) { term in
                if !values.contains(term) { values.append(term) }
                return false
            }
            guard !values.isEmpty else { continue }
            keys = keys.flatMap { key in
                values.map { value in
                    var key = key
                    key[index] = value
                    return key
                }
            }
        }
        return keys.map { number(of: $0) }
    }

    private mutating func number(of key: Key) -> Int {
        if let known = numbers[key] { return known }
        keys.append(key)
        numbers[key] = keys.count - 1
        return keys.count - 1
    }

    private func names(_ texts: inout TermTexts, _ db: Database) throws -> [MetricsGroupName] {
        var names: [MetricsGroupName] = []
        for key in keys {
            var values: [UTF8Text?] = []
            for (index, group) in query.groups.enumerated() {
                if group == .project {
                    values.append(UTF8Text(project))
                } else {
                    values.append(key[index] == 0 ? nil : UTF8Text(try texts.text(of: key[index], db)))
                }
            }
            names.append(MetricsGroupName(values))
        }
        return names
    }
}
