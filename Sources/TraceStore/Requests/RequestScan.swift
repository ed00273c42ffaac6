internal import Common
internal import GRDB
internal import RequestLog

/// Goes over the rows that pass a filter, the newest first.
///
/// Where a condition names values, the index says where the rows are, and several conditions meet in the places that
/// all of them have. Else the rows of the range are read one after the other. A condition that many values pass may be
/// either way the faster one: a page of it begins with the rows, and goes on with the index once few of them passed.
struct RequestScan {
    /// Terms with which the index is the first choice.
    private static let fewTerms = 100
    /// Terms whose streams are merged; a condition with more of them is tested row by row.
    private static let mostTerms = 1000
    /// Rows of a page that are read one after the other before the index of many terms is: a tenth of its budget, if
    /// that is less.
    private static let firstRows = 10_000
    /// Rows of a chart up to which the index is the faster way: behind it each row is looked up by itself.
    private static let fewRows = 40_000
    /// The cost of a row that is looked up through the index, in rows that are read one after the other.
    private static let lookupCost = 5
    /// Rows between two looks at the clock.
    private static let rowsPerTick = 64

    enum Step {
        /// The row was taken.
        case on
        /// The row was not taken, nor will be one behind it.
        case stop
    }

    /// The bounds of one reading.
    struct Budget {
        /// Rows that lie one after the other, or what others cost in such.
        var looks: Int
        /// Nil: it may take its time.
        var end: ContinuousClock.Instant?

        fileprivate var isOver: Bool { end.map { ContinuousClock.now >= $0 } ?? false }
    }

    private enum Outcome {
        case exhausted
        /// All rows were taken that are wanted. The next are before this place.
        case full(Int64)
        /// The budget is spent. The next rows are before this place.
        case spent(Int64)

        var next: Int64? {
            switch self {
            case .exhausted: nil
            case .full(let place), .spent(let place): place
            }
        }
    }

    private let db: Database
    private let project: Int64
    private let filter: RequestFilter
    private let range: ClosedRange<Int64>
    private var tests: [RowTest]
    private var texts = TermTexts()
    // The work so far.
    private var (read, lookups, steps) = (0, 0, 0)

    /// The work so far, counted in rows that lie one after the other.
    private var looks: Int { read + steps + Self.lookupCost * (lookups + texts.reads) }

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
    /// - Parameter body: is given the rows that pass, at whose place the statement stands.
    /// - Returns: a place behind all rows that were taken, if there may be more before it.
    mutating func page(
        within budget: Budget, _ body: (StatementRows, inout TermTexts) throws -> Step
    ) throws -> Int64? {
        let few = driving(atMost: Self.fewTerms)
        let columns = RequestRows.Column.list
        if !few.isEmpty {
            return try readIndexed(few, from: range.upperBound, reading: columns, within: budget, body).next
        }
        // What passes is read whole: until then the columns that are looked at are enough.
        var tested = Set(filter.bounds.map { RequestRows.Column($0.number) })
        if !tests.isEmpty { tested.insert(.terms) }
        let narrow = tested.isEmpty ? nil : RequestRows.Column.list(reading: tested.union([.place]))
        let whole = StatementRows(try db.makeStatement(sql: Self.lookup(of: columns)))
        let project = project
        let pick: (StatementRows, inout TermTexts) throws -> Step = { rows, texts in
            guard narrow != nil else { return try body(rows, &texts) }
            whole.restart(project, rows.integer(RequestRows.Column.place.rawValue))
            return try whole.next() ? try body(whole, &texts) : .on
        }
        var first = budget
        first.looks = min(budget.looks / 10, Self.firstRows)
        let outcome = try readAll(from: range.upperBound, reading: narrow ?? columns, within: first, pick)
        guard case .spent(let place) = outcome, place > range.lowerBound, looks < budget.looks, !budget.isOver else {
            return outcome.next
        }
        for index in tests.indices where !budget.isOver { try tests[index].readMoreValues(project: project, db) }
        let many = driving(atMost: Self.mostTerms)
        return many.isEmpty
            ? try readAll(from: place - 1, reading: narrow ?? columns, within: budget, pick).next
            : try readIndexed(many, from: place - 1, reading: columns, within: budget, body).next
    }

    /// Reads all rows of a chart, in any order.
    /// - Parameters:
    ///   - numbers: the measured properties that `body` reads.
    ///   - terms: whether it reads the terms.
    /// - Returns: the amount that it looked at, counted in rows that lie one after the other.
    /// - Throws: `TooManyRows` if it would look at more than charts may.
    mutating func all(
        reading numbers: [RequestNumber], terms: Bool, _ body: (StatementRows, inout TermTexts) throws -> Void
    ) throws -> Int {
        var read = Set((numbers + filter.bounds.map(\.number)).map { RequestRows.Column($0) })
        read.formUnion([.place, .flags])
        if terms || !tests.isEmpty { read.insert(.terms) }
        let columns = RequestRows.Column.list(reading: read)
        let driving = driving(atMost: Self.fewTerms)
        let step: (StatementRows, inout TermTexts) throws -> Step = { rows, texts in
            try body(rows, &texts)
            return .on
        }
        let isRare = try driving.contains {
            try TermStream.isRare($0, in: range, most: Self.fewRows, db)
        }
        let budget = Budget(looks: FilterLimits.chartLooks, end: nil)
        let outcome =
            isRare
            ? try readIndexed(driving, from: range.upperBound, reading: columns, within: budget, step)
            : try readAll(from: range.upperBound, reading: columns, oldestFirst: true, within: budget, step)
        if case .spent = outcome { throw TooManyRows() }
        return looks
    }

    /// The terms of the conditions that say where rows are.
    private func driving(atMost most: Int) -> [[UInt32]] { tests.compactMap { $0.driving(atMost: most) } }

    private static func lookup(of columns: String) -> String {
        "SELECT \(columns) FROM request WHERE project = ? AND place = ?"
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
        let (begin, end) = (RequestPlace.time(of: first).milliseconds, RequestPlace.time(of: last).milliseconds)
        let middle = Timestamp(milliseconds: begin + (end - begin) / 2 + 1)
        guard middle.milliseconds <= end else { return [filter] }
        var (older, newer) = (filter, filter)
        (older.to, newer.from) = (middle, middle)
        return [older, newer]
    }

    /// - Parameters:
    ///   - start: the latest place that is read.
    ///   - oldestFirst: a file is read ahead of in its own direction, which counts where the system has none of it.
    private mutating func readAll(
        from start: Int64, reading columns: String, oldestFirst: Bool = false, within budget: Budget,
        _ body: (StatementRows, inout TermTexts) throws -> Step
    ) throws -> Outcome {
        let rows = StatementRows(
            try db.makeStatement(
                sql: """
                    SELECT \(columns) FROM request
                    WHERE project = ? AND place BETWEEN ? AND ? ORDER BY place \(oldestFirst ? "ASC" : "DESC")
                    """))
        rows.restart(project, range.lowerBound, start)
        while try rows.next() {
            read += 1
            if try holds(rows), try body(rows, &texts) == .stop { return .full(rows.integer(0) + 1) }
            if looks >= budget.looks || read % Self.rowsPerTick == 0 && budget.isOver { return .spent(rows.integer(0)) }
        }
        return .exhausted
    }

    private mutating func readIndexed(
        _ driving: [[UInt32]], from start: Int64, reading columns: String, within budget: Budget,
        _ body: (StatementRows, inout TermTexts) throws -> Step
    ) throws -> Outcome {
        guard !driving.contains(where: { $0.isEmpty }) else { return .exhausted }
        let streams = try driving.map { try TermStream($0, in: range.lowerBound...start, db) }
        let rows = StatementRows(try db.makeStatement(sql: Self.lookup(of: columns)))
        let stepsBefore = steps
        var (place, turns) = (start, 0)
        while place >= range.lowerBound, let found = try Self.meeting(of: streams, from: place) {
            place = found.place
            steps = stepsBefore + streams.reduce(0) { $0 + $1.looks }
            if found.isMet {
                lookups += 1
                rows.restart(project, place)
                if try rows.next(), try holds(rows), try body(rows, &texts) == .stop { return .full(place + 1) }
                place -= 1
            }
            turns += 1
            if looks >= budget.looks || turns % Self.rowsPerTick == 0 && budget.isOver { return .spent(place + 1) }
        }
        return .exhausted
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
        for index in tests.indices where try !tests[index].holds(terms, texts: &texts, in: db) { return false }
        return true
    }
}

extension StatementRows {
    /// The value of a measured property; nil where it was not measured.
    func value(of number: RequestNumber) -> Double? {
        realOrNil(RequestRows.Column(number).rawValue)
    }
}
