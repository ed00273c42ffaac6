internal import Common
internal import GRDB
internal import RequestLog

/// A filter's condition on texts, with the terms for which it holds as far as the tables say them in advance.
struct RowTest {
    /// Values of a property that are read in order to find those that a condition is about: at first, and where it
    /// proves worthwhile, some tens of milliseconds.
    private static let (fewValues, mostValues) = (2000, 150_000)

    private enum Terms {
        case listed(Set<UInt32>)
        /// There are too many values: each is looked at when a row has it.
        case tested(known: [UInt32: Bool])
        /// Any value will do.
        case any
    }

    /// Nil: no row has the property.
    private let field: UInt32?
    private let test: RequestFilter.Test
    private var terms: Terms

    init(_ condition: RequestFilter.Condition, project: Int64, _ db: Database) throws {
        let field = try Self.number(of: condition.field, project: project, db)
        self.field = field
        test = condition.test
        terms = .listed([])
        guard let field else { return }
        switch test {
        case .anyOf(let texts), .noneOf(let texts):
            let known = try texts.compactMap { try TermBook.number(of: $0.text, field: field, project: project, db) }
            terms = .listed(Set(known))
        case .contains, .startsWith, .present, .absent:
            let values = try Self.values(
                of: field, from: test.start, atMost: Self.fewValues, project: project, db)
            terms = values.map { .listed(Self.passing($0, test)) } ?? Self.unlisted(test)
        }
    }

    /// A condition on the status, whose values are terms too.
    init(_ condition: RequestFilter.StatusCondition, project: Int64, _ db: Database) throws {
        let field = TermField.of(.status)
        self.field = field
        test = condition.isNegated ? .noneOf([]) : .anyOf([])
        let values = try Self.values(of: field, from: "", atMost: Self.fewValues, project: project, db) ?? []
        terms = .listed(
            Set(
                values.filter { value in
                    Int(value.text).map { status in condition.ranges.contains { $0.contains(status) } } ?? false
                }.map(\.term)))
    }

    /// The terms of which a row must have one; nil if that does not say where the rows are.
    func driving(atMost most: Int) -> [UInt32]? {
        guard !test.isNegated, case .listed(let terms) = terms, terms.count <= most else { return nil }
        return terms.sorted()
    }

    /// Looks for the terms that pass among more of a property's values than were read at first.
    mutating func readMoreValues(project: Int64, _ db: Database) throws {
        guard case .tested = terms, let field else { return }
        let values = try Self.values(
            of: field, from: test.start, atMost: Self.mostValues, project: project, db)
        if let values { terms = .listed(Self.passing(values, test)) }
    }

    /// Whether the condition holds for a row.
    /// - Parameter bytes: its `TermList`.
    mutating func holds(_ bytes: UnsafeRawBufferPointer, texts: inout TermTexts, in db: Database) throws -> Bool {
        guard let field else { return test.isNegated }
        switch terms {
        case .any: return (TermList.first(of: field, in: bytes) != nil) != test.isNegated
        case .listed(let terms):
            return TermList.contains(field, in: bytes, where: { terms.contains($0) }) != test.isNegated
        case .tested(var known):
            let test = test
            var learnt: [(UInt32, Bool)] = []
            let holds = try TermList.contains(field, in: bytes) { term in
                if let holds = known[term] { return holds }
                let holds = test.holds(try texts.text(of: term, db))
                learnt.append((term, holds))
                return holds
            }
            if !learnt.isEmpty {
                // The table is in `known` alone while it grows, so that it is not copied.
                terms = .listed([])
                for (term, holds) in learnt { known[term] = holds }
                terms = .tested(known: known)
            }
            return holds != test.isNegated
        }
    }

    /// The number of a property; nil for a metadata key that no row has.
    static func number(of field: RequestField, project: Int64, _ db: Database) throws -> UInt32? {
        switch field {
        case .known(let known): TermField.of(known)
        case .metadata(let key):
            try TermBook.number(of: key.text, field: TermField.metadataKey, project: project, db)
                .map { TermField.ofValues(forKey: $0) }
        }
    }

    private static func passing(_ values: [(term: UInt32, text: String)], _ test: RequestFilter.Test) -> Set<UInt32> {
        Set(values.lazy.filter { test.holds($0.text) }.map(\.term))
    }

    private static func unlisted(_ test: RequestFilter.Test) -> Terms {
        switch test {
        case .present, .absent: .any
        case .anyOf, .noneOf, .contains, .startsWith: .tested(known: [:])
        }
    }

    /// The values of a property from a text on; nil if there are too many. For `startsWith` those behind do no harm.
    private static func values(
        of field: UInt32, from start: String, atMost most: Int, project: Int64, _ db: Database
    ) throws -> [(term: UInt32, text: String)]? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT id, value FROM request_term
                WHERE project = ? AND field = ? AND value >= \(WholeText.placeholder) ORDER BY value LIMIT ?
                """)
        let found = try Row.fetchCursor(
            statement, arguments: [project, Int64(field), start.whole, most + 1])
        var values: [(term: UInt32, text: String)] = []
        while let row = try found.next() {
            let text = row.text(1) ?? ""
            guard text.hasPrefix(start) else { break }
            values.append((UInt32(truncatingIfNeeded: row[0] as Int64), text))
        }
        return values.count > most ? nil : values
    }
}

extension RequestFilter.Test {
    /// The text with which all values that pass begin.
    fileprivate var start: String { if case .startsWith(let text) = self { text } else { "" } }
}
