internal import Common
internal import GRDB
internal import RequestLog

/// Collects what a chart is made of, from the rows that pass its filter.
struct RequestChart: Sendable {
    /// The terms by which a row is grouped; 0 for none. Terms are numbered from 1 on.
    private typealias Key = SIMD4<UInt32>

    private let query: MetricsQuery
    private let project: String
    /// Of each group of the query; nil where all rows are in one.
    private let fields: [UInt32?]
    private var table: MetricsTable
    private var numbers: [Key: Int] = [:]
    /// Of a chart by one property, the numbers of the groups by their terms: most terms are small. -1: none yet.
    private var numbersOfTerms: [Int32] = []
    private static let mostTerms = 1 << 20
    private var keys: [Key] = []
    private var count = 0
    /// Rows that were looked at, or what others cost in such.
    private var looks = 0
    /// The groups of the row that is being added.
    private var rowGroups: [Int] = [0]

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
        if query.groups.isEmpty { keys = [Key()] }
    }

    /// Reads a part of a query's rows.
    /// - Parameter filter: the query's, of a part of its range.
    /// - Throws: `TooManyRows`.
    static func part(
        of query: MetricsQuery, _ filter: RequestFilter, project: String, _ db: Database
    ) throws -> RequestChart? {
        guard let number = try TermBook.number(ofKnownProject: project, db),
            var scan = try RequestScan(filter, project: number, db)
        else { return nil }
        var chart = try RequestChart(query, project: project, number: number, db)
        chart.looks = try scan.all(reading: query.numbers, terms: !query.groups.isEmpty) { rows, _ in
            try chart.add(rows)
        }
        return chart
    }

    /// Adds another part.
    /// - Throws: `TooManyRows`.
    mutating func append(_ other: RequestChart) throws {
        count += other.count
        looks += other.looks
        guard count <= FilterLimits.chartRows, looks <= FilterLimits.chartLooks else { throw TooManyRows() }
        table.append(other.table, groups: query.groups.isEmpty ? [0] : other.keys.map { number(of: $0) })
    }

    /// - Parameter names: ``names(_:)``.
    func result(_ names: [Int: MetricsGroupName]) async -> MetricsResult { await table.result(names: names) }

    private mutating func add(_ rows: StatementRows) throws {
        count += 1
        guard count <= FilterLimits.chartRows else { throw TooManyRows() }
        let flags = RequestFlags(rawValue: rows.integer(RequestRows.Column.flags.rawValue))
        if !query.groups.isEmpty { findGroups(of: rows.bytes(RequestRows.Column.terms.rawValue)) }
        let place = rows.integer(RequestRows.Column.place.rawValue)
        table.add(
            time: RequestPlace.time(of: place), groups: rowGroups, isError: flags.contains(.error),
            isLimitHit: flags.contains(.limitHit)
        ) { rows.value(of: $0) }
    }

    /// Finds a row's groups: one, or several where it has several values.
    private mutating func findGroups(of terms: UnsafeRawBufferPointer) {
        guard !fields.contains(where: { $0.map(TermField.isMany) ?? false }) else {
            rowGroups = keys(of: terms).map { number(of: $0) }
            return
        }
        if fields.count == 1, let field = fields[0] {
            rowGroups[0] = number(ofTerm: TermList.first(of: field, in: terms) ?? 0)
            return
        }
        var key = Key()
        for index in fields.indices {
            if let field = fields[index] { key[index] = TermList.first(of: field, in: terms) ?? 0 }
        }
        rowGroups[0] = number(of: key)
    }

    private func keys(of terms: UnsafeRawBufferPointer) -> [Key] {
        var keys: [Key] = [Key()]
        for (index, field) in fields.enumerated() {
            guard let field else { continue }
            var values: [UInt32] = []
            TermList.forEach(in: terms) { found, term, _ in
                if found == field, !values.contains(term) { values.append(term) }
            }
            if values.isEmpty { values = [0] }
            keys = keys.flatMap { key in
                values.map { value in
                    var key = key
                    key[index] = value
                    return key
                }
            }
        }
        return keys
    }

    private mutating func number(ofTerm term: UInt32) -> Int {
        let place = Int(term)
        guard place < Self.mostTerms else { return number(of: Key(term, 0, 0, 0)) }
        if place >= numbersOfTerms.count {
            numbersOfTerms += repeatElement(-1, count: max(place + 1, 2 * numbersOfTerms.count) - numbersOfTerms.count)
        }
        if numbersOfTerms[place] >= 0 { return Int(numbersOfTerms[place]) }
        let number = number(of: Key(term, 0, 0, 0))
        numbersOfTerms[place] = Int32(truncatingIfNeeded: number)
        return number
    }

    private mutating func number(of key: Key) -> Int {
        if let known = numbers[key] { return known }
        keys.append(key)
        numbers[key] = keys.count - 1
        return keys.count - 1
    }

    /// The names of the groups that may be shown.
    func names(_ db: Database) throws -> [Int: MetricsGroupName] {
        var names: [Int: MetricsGroupName] = [:]
        var texts = TermTexts()
        for number in table.candidates {
            let key = keys[number]
            var values: [UTF8Text?] = []
            for (index, group) in query.groups.enumerated() {
                if group == .project {
                    values.append(UTF8Text(project))
                } else {
                    values.append(key[index] == 0 ? nil : UTF8Text(try texts.text(of: key[index], db)))
                }
            }
            names[number] = MetricsGroupName(values)
        }
        return names
    }
}
