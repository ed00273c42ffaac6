package import Common

/// Collects what a chart is made of, column by column, and makes the chart of it. Percentiles are made of all rows'
/// values: none is averaged or estimated.
package struct MetricsTable: Sendable {
    private static let isFirst: UInt8 = 1
    private static let isError: UInt8 = 2
    private static let isLimitHit: UInt8 = 4

    private let query: MetricsQuery
    private let numbers: [RequestNumber]
    /// The first interval of the range, counted since 1970.
    private let firstPoint: UInt64
    // Of each entry: the number of its group, its interval counted from the first one, and its flags. A row has an
    // entry for each of its groups; the first one is marked.
    private var groups: [Int32] = []
    private var points: [Int32] = []
    private var flags: [UInt8] = []
    /// Of each of `numbers`, the entries' values; not a number where there is none.
    private var columns: [[Double]]
    /// Requests of each group.
    private var counts: [Int] = []

    package init(_ query: MetricsQuery) {
        self.query = query
        numbers = query.numbers
        columns = numbers.map { _ in [] }
        firstPoint = query.interval.map { (query.filter.from?.milliseconds ?? 0) / $0 } ?? 0
    }

    /// Adds a row within the query's range.
    /// - Parameters:
    ///   - rowGroups: the numbers of the groups to which it belongs, from 0 on; at least one.
    ///   - value: a measured property of the row.
    package mutating func add(
        time: Timestamp, groups rowGroups: [Int], isError: Bool, isLimitHit: Bool, value: (RequestNumber) -> Double?
    ) {
        let point = query.interval.map { Int32(truncatingIfNeeded: time.milliseconds / $0 - firstPoint) } ?? 0
        var flag = Self.isFirst | (isError ? Self.isError : 0) | (isLimitHit ? Self.isLimitHit : 0)
        for group in rowGroups {
            if group >= counts.count { counts.append(contentsOf: repeatElement(0, count: group + 1 - counts.count)) }
            counts[group] += 1
            groups.append(Int32(truncatingIfNeeded: group))
            points.append(point)
            flags.append(flag)
            flag &= ~Self.isFirst
        }
        for column in numbers.indices {
            let value = value(numbers[column]) ?? .nan
            for _ in rowGroups { columns[column].append(value) }
        }
    }

    /// Adds the rows of another table of the same query.
    /// - Parameter numbers: of the other's groups in this table.
    package mutating func append(_ other: MetricsTable, groups numbers: [Int]) {
        let most = numbers.max() ?? 0
        if most >= counts.count { counts.append(contentsOf: repeatElement(0, count: most + 1 - counts.count)) }
        for (group, count) in other.counts.enumerated() { counts[numbers[group]] += count }
        groups.reserveCapacity(groups.count + other.groups.count)
        for group in other.groups { groups.append(Int32(truncatingIfNeeded: numbers[Int(group)])) }
        points += other.points
        flags += other.flags
        for column in columns.indices { columns[column] += other.columns[column] }
    }

    /// The numbers of the groups that may be shown: those with most requests, and all that have as many as the last of
    /// them. Of many groups only a few need their names.
    package var candidates: [Int] {
        let found = counts.indices.filter { counts[$0] > 0 }
        guard found.count > query.groupLimit else { return found }
        let least = found.map { counts[$0] }.sorted(by: >)[query.groupLimit - 1]
        return found.filter { counts[$0] >= least }
    }

    /// Makes the chart, on as many processors as there are to spare: the whole and each half of the groups take about
    /// as long as one another.
    /// - Parameter names: those of `candidates`, by their numbers.
    package func result(names: [Int: MetricsGroupName]) async -> MetricsResult {
        let order = names.sorted { left, right in
            let (first, second) = (counts[left.key], counts[right.key])
            return first != second ? first > second : Self.precedes(left.value, right.value)
        }
        let shown = order.prefix(query.groupLimit).map(\.key)
        async let total = total
        var entries = entriesByGroup(shown: shown)
        let others = entries.removeLast()
        let named = zip(shown, entries).map { (names[$0], $1) } + (others.isEmpty ? [] : [(nil, others)])
        let middle = Self.middle(of: named.map(\.1.count))
        async let later = named[middle...].map { group(named: $0, entries: $1) }
        let earlier = named[..<middle].map { group(named: $0, entries: $1) }
        return await MetricsResult(total: total, groups: earlier + later)
    }

    private var total: MetricsResult.Values {
        values(of: flags.indices.filter { flags[$0] & Self.isFirst != 0 }.map { Int32($0) })
    }

    /// The place before which about half of all entries are.
    private static func middle(of counts: [Int]) -> Int {
        let half = counts.reduce(0, +) / 2
        var before = 0
        return counts.firstIndex { count in
            defer { before += count }
            return before + count / 2 >= half
        } ?? counts.count
    }

    /// The entries of each group that is shown, and at last those of all others.
    private func entriesByGroup(shown: some Collection<Int>) -> [[Int32]] {
        var place = [Int](repeating: shown.count, count: counts.count)
        for (index, group) in shown.enumerated() { place[group] = index }
        var entries = [[Int32]](repeating: [], count: shown.count + 1)
        for (index, group) in shown.enumerated() { entries[index].reserveCapacity(counts[group]) }
        for entry in groups.indices { entries[place[Int(groups[entry])]].append(Int32(entry)) }
        return entries
    }

    private func group(named name: MetricsGroupName?, entries: [Int32]) -> MetricsResult.Group {
        var series: [MetricsResult.Point] = []
        if let interval = query.interval, let last = entries.lazy.map({ points[Int($0)] }).max() {
            var byPoint = [[Int32]](repeating: [], count: Int(last) + 1)
            for entry in entries { byPoint[Int(points[Int(entry)])].append(entry) }
            for (point, entries) in byPoint.enumerated() where !entries.isEmpty {
                let time = Timestamp(milliseconds: (firstPoint + UInt64(point)) * interval)
                series.append(.init(time: time, values: values(of: entries)))
            }
        }
        return MetricsResult.Group(name: name, total: values(of: entries), points: series)
    }

    private func values(of entries: [Int32]) -> MetricsResult.Values {
        let found = numbers.indices.map { percentiles(ofColumn: $0, entries) }
        return query.measures.map { measure in
            switch measure {
            case .count(.requests): Double(entries.count)
            case .count(.errors): count(Self.isError, in: entries)
            case .count(.limitHits): count(Self.isLimitHit, in: entries)
            case .sum(let sum): self.sum(sum.number, of: entries)
            case .percentile(let percentile, let duration):
                numbers.firstIndex(of: duration.number).flatMap { found[$0][percentile] }
            }
        }
    }

    private func count(_ flag: UInt8, in entries: [Int32]) -> Double {
        var count = 0
        for entry in entries where flags[Int(entry)] & flag != 0 { count += 1 }
        return Double(count)
    }

    /// Nil if no entry has the number.
    private func sum(_ number: RequestNumber, of entries: [Int32]) -> Double? {
        guard let column = numbers.firstIndex(of: number) else { return nil }
        var (sum, isMeasured) = (0.0, false)
        for entry in entries where !columns[column][Int(entry)].isNaN {
            sum += columns[column][Int(entry)]
            isMeasured = true
        }
        return isMeasured ? sum : nil
    }

    /// The percentiles of a column that the query asks for; none if no entry has the number.
    private func percentiles(
        ofColumn column: Int, _ entries: [Int32]
    ) -> [MetricsMeasure.Percentile: Double] {
        let wanted = MetricsMeasure.Percentile.allCases.filter { percentile in
            query.measures.contains {
                if case .percentile(percentile, let duration) = $0 { duration.number == numbers[column] } else { false }
            }
        }
        guard !wanted.isEmpty else { return [:] }
        var values: [Double] = []
        values.reserveCapacity(entries.count)
        for entry in entries where !columns[column][Int(entry)].isNaN { values.append(columns[column][Int(entry)]) }
        guard !values.isEmpty else { return [:] }
        let ranks = wanted.map { $0.rank(among: values.count) }
        Selection.place(ranks[...], in: &values)
        return Dictionary(uniqueKeysWithValues: zip(wanted, ranks.map { values[$0] }))
    }

    /// The order of bytes, a value before none.
    private static func precedes(_ left: MetricsGroupName, _ right: MetricsGroupName) -> Bool {
        for (left, right) in zip(left.values, right.values) where left != right {
            guard let left else { return false }
            guard let right else { return true }
            return left < right
        }
        return false
    }
}
