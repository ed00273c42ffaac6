internal import Common
internal import GRDB
internal import RequestLog

/// Goes over the rows that pass a filter, the newest first.
///
/// Where a condition names values, the index says where the rows are, and several conditions meet in the places that
/// all of them have. Else the rows of the range are read one after the other.
struct RequestScan {
    /// Terms whose streams are merged; a condition with more of them is tested row by row.
    private static let mostDriving = 100
    /// Rows of a chart up to which the index is the faster way: behind it each row is looked up by itself.
    private static let fewRows = 40_000
    /// The cost of a row that is looked up through the index, in rows that are read one after the other.
    private static let lookupCost = 5

    enum Step {
        /// The row was taken.
        case on
        /// The row was not taken, nor will be one behind it.
        case stop
    }

    private let db: Database
    private let project: Int64
    private let filter: RequestFilter
    private let range: ClosedRange<Int64>
    private var tests: [RowTest]
    private var columns = RequestRows.Column.list
    /// The work so far, counted in rows that lie one after the other.
    private var looks = 0
    private var texts = TermTexts()

    /// - Parameter end: only rows before this place.
    /// - Returns: nil if the range is empty.
    init?(_ filter: RequestFilter, before end: Int64 = .max, project: Int64, _ db: Database) throws {
        self.db = db
        self.project = project
        self.filter = filter
        let first = filter.from.map { RequestPlace.start(of: $0) } ?? 0
        let last = min(end, filter.to.map { RequestPlace.start(of: $0) } ?? .max) - 1
        guard first <= last else { return nil }
        range = first...last
        tests =
            try filter.statuses.map { try RowTest($0, project: project, db) }
            + filter.conditions.map { try RowTest($0, project: project, db) }
    }

    /// Reads the rows of a page.
    /// - Parameters:
    ///   - most: how much is looked at, counted in rows that lie one after the other.
    ///   - body: is given the rows that pass, at whose place the statement stands.
    /// - Returns: a place behind all rows that were taken, if there may be more before it.
    mutating func page(lookingAt most: Int, _ body: (StatementRows, inout TermTexts) throws -> Step) throws -> Int64? {
        let driving = tests.compactMap { $0.driving(atMost: Self.mostDriving) }
        return driving.isEmpty ? try readAll(most, body) : try readIndexed(driving, most, body)
    }

    /// Reads all rows of a chart.
    /// - Parameters:
    ///   - numbers: the measured properties that `body` reads.
    ///   - terms: whether it reads the terms.
    /// - Returns: how much it looked at, counted in rows that lie one after the other.
    /// - Throws: `TooManyRows` if it would look at more than charts may.
    mutating func all(
        reading numbers: [RequestNumber], terms: Bool, _ body: (StatementRows, inout TermTexts) throws -> Void
    ) throws -> Int {
        var read = Set((numbers + filter.bounds.map(\.number)).map { RequestRows.Column($0) })
        read.formUnion([.place, .flags])
        if terms || !tests.isEmpty { read.insert(.terms) }
        columns = RequestRows.Column.list(reading: read)
        let driving = tests.compactMap { $0.driving(atMost: Self.mostDriving) }
        let step: (StatementRows, inout TermTexts) throws -> Step = { rows, texts in
            try body(rows, &texts)
            return .on
        }
        let isRare = try driving.contains {
            try TermStream.isRare($0, in: range, most: Self.fewRows, db)
        }
        let most = FilterLimits.chartLooks
        let rest = isRare ? try readIndexed(driving, most, step) : try readAll(most, step)
        if rest != nil { throw TooManyRows() }
        return looks
    }

    /// Divides the range of a filter in two, as long as one another, from its first row to its last.
    /// - Returns: the filter itself, if it has less than two milliseconds of rows.
    static func halves(of filter: RequestFilter, project: Int64, _ db: Database) throws -> [RequestFilter] {
        let ends = ["min", "max"].map {
            "SELECT \($0)(place) FROM request WHERE project = ?1 AND place BETWEEN ?2 AND ?3"
        }
        let rows = StatementRows(try db.cachedStatement(sql: "SELECT (\(ends[0])), (\(ends[1]))"))
        let start = filter.from.map { RequestPlace.start(of: $0) } ?? 0
        rows.restart(project, start, (filter.to.map { RequestPlace.start(of: $0) } ?? .max) - 1)
        guard try rows.next(), let first = rows.integerOrNil(0), let last = rows.integerOrNil(1) else {
            return [filter]
        }
        let (begin, end) = (RequestPlace.milliseconds(of: first), RequestPlace.milliseconds(of: last))
        let middle = begin + (end - begin) / 2 + 1
        guard middle <= end else { return [filter] }
        var (older, newer) = (filter, filter)
        (older.to, newer.from) = (middle, middle)
        return [older, newer]
    }

    private mutating func readAll(
        _ most: Int, _ body: (StatementRows, inout TermTexts) throws -> Step
    ) throws -> Int64? {
        let rows = StatementRows(
            try db.makeStatement(
                sql: """
                    SELECT \(columns) FROM request
                    WHERE project = ? AND place BETWEEN ? AND ? ORDER BY place DESC
                    """))
        rows.restart(project, range.lowerBound, range.upperBound)
        var read = 0
        defer { looks = read + Self.lookupCost * texts.reads }
        while try rows.next() {
            read += 1
            if try holds(rows), try body(rows, &texts) == .stop { return rows.integer(0) + 1 }
            if read + Self.lookupCost * texts.reads >= most { return rows.integer(0) }
        }
        return nil
    }

    private mutating func readIndexed(
        _ driving: [[UInt32]], _ most: Int, _ body: (StatementRows, inout TermTexts) throws -> Step
    ) throws -> Int64? {
        guard !driving.contains(where: { $0.isEmpty }) else { return nil }
        let streams = try driving.map { try TermStream($0, in: range, db) }
        let rows = StatementRows(
            try db.makeStatement(sql: "SELECT \(columns) FROM request WHERE project = ? AND place = ?"))
        var place = range.upperBound
        var lookups = 0
        while place >= range.lowerBound, let found = try Self.meeting(of: streams, from: place) {
            place = found.place
            looks = streams.reduce(0) { $0 + $1.looks } + Self.lookupCost * (lookups + texts.reads)
            if found.isMet {
                lookups += 1
                rows.restart(project, place)
                if try rows.next(), try holds(rows), try body(rows, &texts) == .stop { return place + 1 }
                place -= 1
            }
            if looks >= most { return place + 1 }
        }
        return nil
    }

    /// The next place that all streams may have: met, or one from which on to look.
    private static func meeting(of streams: [TermStream], from start: Int64) throws -> (place: Int64, isMet: Bool)? {
        var place = start
        var isMet = true
        for stream in streams {
            guard let found = try stream.advance(to: place) else { return nil }
            if found < place { isMet = stream === streams[0] }
            place = found
        }
        return (place, isMet)
    }

    private mutating func holds(_ rows: StatementRows) throws -> Bool {
        for bound in filter.bounds {
            guard let value = rows.value(of: bound.number), bound.comparison.holds(value, bound.value) else {
                return false
            }
        }
        guard !tests.isEmpty else { return true }
        let terms = rows.bytes(RequestRows.Column.terms.rawValue)
        for index in tests.indices where try !tests[index].holds(terms, &texts, db) { return false }
        return true
    }
}

extension StatementRows {
    /// The value of a measured property; nil where it was not measured.
    func value(of number: RequestNumber) -> Double? {
        realOrNil(RequestRows.Column(number).rawValue)
    }
}
