internal import Common

/// Collects what a chart is made of, column by column, and makes the chart of it. Percentiles are made of all rows'
/// values: none is averaged or estimated.
package struct MetricsTable {
    private let query: MetricsQuery
    private let numbers: [RequestNumber]
    /// Of each entry: its group's number, its point, its flags. A row has an entry for each of its groups.
    private var groups: [Int32] = []
    private var points: [UInt64] = []
    private var flags: [UInt8] = []
    /// Whether the entry is the first one of its row.
    private static let isFirst: UInt8 = 1
    private static let isError: UInt8 = 2
    private static let isLimitHit: UInt8 = 4
    /// Of each of `numbers`, the entries' values; not a number where there is none.
    private var columns: [[Double]]
    /// Requests of each group.
    private var counts: [Int] = []

    package init(_ query: MetricsQuery) {
        self.query = query
        numbers = query.numbers
        columns = numbers.map { _ in [] }
    }

    /// Adds a row.
    /// - Parameters:
    ///   - time: milliseconds since 1970.
    ///   - groups: the numbers of the groups to which it belongs, from 0 on; at least one.
    ///   - value: a measured property of the row.
    package mutating func add(
        time: UInt64, groups rowGroups: some Collection<Int>, isError: Bool, isLimitHit: Bool,
        value: (RequestNumber) -> Double?
    ) {
        let point = query.point(of: time)
        var flag = Self.isFirst | (isError ? Self.isError : 0) | (isLimitHit ? Self.isLimitHit : 0)
        for group in rowGroups {
            if group >= counts.count { counts.append(contentsOf: repeatElement(0, count: group + 1 - counts.count)) }
            counts[group] += 1
            groups.append(Int32(truncatingIfNeeded: group))
            points.append(point)
            flags.append(flag)
            flag &= ~Self.isFirst
        }
        for (column, number) in numbers.enumerated() {
            let value = value(number) ?? .nan
            for _ in rowGroups { columns[column].append(value) }
        }
    }

    /// Makes the chart.
    /// - Parameter names: of the groups, by their numbers.
    package func result(names: [MetricsGroupName]) -> MetricsResult {
        let total = values(of: Array(flags.indices.filter { flags[$0] & Self.isFirst != 0 }))
        let order = counts.indices.filter { counts[$0] > 0 }.sorted { left, right in
            counts[left] != counts[right] ? counts[left] > counts[right] : Self.precedes(names[left], names[right])
        }
        let shown = order.prefix(query.groupLimit)
        var entries = entriesByGroup(shown: shown)
        let others = entries.removeLast()
        var groups = zip(shown, entries).map { group(named: names[$0], entries: $1) }
        if !others.isEmpty { groups.append(group(named: nil, entries: others)) }
        return MetricsResult(total: total, groups: groups)
    }

    /// The entries of each group that is shown, and at last those of all others.
    private func entriesByGroup(shown: some Collection<Int>) -> [[Int]] {
        var place = [Int](repeating: shown.count, count: counts.count)
        for (index, group) in shown.enumerated() { place[group] = index }
        var entries = [[Int]](repeating: [], count: shown.count + 1)
        for (index, group) in shown.enumerated() { entries[index].reserveCapacity(counts[group]) }
        for (entry, group) in groups.enumerated() { entries[place[Int(group)]].append(entry) }
        return entries
    }

    private func group(named name: MetricsGroupName?, entries: [Int]) -> MetricsResult.Group {
        var series: [MetricsResult.Point] = []
        if query.interval != nil {
            var byPoint: [UInt64: [Int]] = [:]
            for entry in entries { byPoint[points[entry], default: []].append(entry) }
            series = byPoint.sorted { $0.key < $1.key }.map { .init(time: $0.key, values: values(of: $0.value)) }
        }
        return MetricsResult.Group(name: name, total: values(of: entries), points: series)
    }

    private func values(of entries: [Int]) -> MetricsResult.Values {
        let sorted = sortedColumns(of: entries)
        return query.measures.map { measure in
            switch measure {
            case .count(.requests): Double(entries.count)
            case .count(.errors): count(Self.isError, in: entries)
            case .count(.limitHits): count(Self.isLimitHit, in: entries)
            case .sum(let sum): self.sum(sum.number, of: entries)
            case .percentile(let percentile, let duration):
                numbers.firstIndex(of: duration.number).flatMap { percentile.value(ofSorted: sorted[$0]) }
            }
        }
    }

    private func count(_ flag: UInt8, in entries: [Int]) -> Double {
        Double(entries.reduce(0) { $0 + (flags[$1] & flag != 0 ? 1 : 0) })
    }

    /// Nil if no entry has the number.
    private func sum(_ number: RequestNumber, of entries: [Int]) -> Double? {
        guard let column = numbers.firstIndex(of: number) else { return nil }
        var (sum, isMeasured) = (0.0, false)
        for entry in entries where !columns[column][entry].isNaN {
            sum += columns[column][entry]
            isMeasured = true
        }
        return isMeasured ? sum : nil
    }

    /// The values in order, of those numbers of which percentiles are wanted; the others are left empty.
    private func sortedColumns(of entries: [Int]) -> [[Double]] {
        numbers.enumerated().map { column, number in
            let isWanted = query.measures.contains { if case .percentile = $0 { $0.number == number } else { false } }
            guard isWanted else { return [] }
            var values: [Double] = []
            values.reserveCapacity(entries.count)
            for entry in entries where !columns[column][entry].isNaN { values.append(columns[column][entry]) }
            values.sort()
            return values
        }
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
