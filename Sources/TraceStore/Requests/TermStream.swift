internal import GRDB

/// The places of the rows that have one of some terms, the latest first.
final class TermStream {
    /// Steps to a neighbour before the index is asked for the place anew: the one costs a tenth of the other.
    private static let nearSteps = 8
    /// Terms that are looked through in the time that a step takes.
    private static let termsPerStep = 32

    private struct Source {
        let rows: StatementRows
        let term: Int64
        /// Nil: there are no further ones.
        var place: Int64?
    }

    private var sources: [Source]
    private let lowest: Int64
    /// Places that were looked at.
    private(set) var looks = 0

    /// - Parameters:
    ///   - terms: at least one; each costs as much as another stream.
    ///   - range: of the places that are wanted.
    init(_ terms: [UInt32], in range: ClosedRange<Int64>, _ db: Database) throws {
        lowest = range.lowerBound
        sources = try terms.map { term in
            let statement = try db.makeStatement(
                sql: "SELECT place FROM request_index WHERE term = ? AND place BETWEEN ? AND ? ORDER BY place DESC")
            return Source(rows: StatementRows(statement), term: Int64(term), place: .max)
        }
        for index in sources.indices { try seek(index, to: range.upperBound) }
    }

    /// The latest place that is not later than `place`; nil if there is none.
    func advance(to place: Int64) throws -> Int64? {
        var latest: Int64?
        looks += sources.count / Self.termsPerStep
        for index in sources.indices {
            try advance(index, to: place)
            if let found = sources[index].place, found > latest ?? .min { latest = found }
        }
        return latest
    }

    private func advance(_ index: Int, to place: Int64) throws {
        var steps = 0
        while let current = sources[index].place, current > place {
            guard steps < Self.nearSteps else { return try seek(index, to: place) }
            steps += 1
            looks += 1
            sources[index].place = try sources[index].rows.next() ? sources[index].rows.integer(0) : nil
        }
    }

    private func seek(_ index: Int, to place: Int64) throws {
        looks += Self.nearSteps
        sources[index].rows.restart(sources[index].term, lowest, place)
        sources[index].place = try sources[index].rows.next() ? sources[index].rows.integer(0) : nil
    }

    /// Whether the terms have fewer than `most` places in the range. It looks at no more.
    static func isRare(_ terms: [UInt32], in range: ClosedRange<Int64>, most: Int, _ db: Database) throws -> Bool {
        let rows = StatementRows(
            try db.makeStatement(
                sql:
                    "SELECT count(*) FROM (SELECT 1 FROM request_index WHERE term = ? AND place BETWEEN ? AND ? LIMIT ?)"
            ))
        var left = Int64(most)
        for term in terms where left > 0 {
            rows.restart(Int64(term), range.lowerBound, range.upperBound, left)
            if try rows.next() { left -= rows.integer(0) }
        }
        return left > 0
    }
}
