package import Common
internal import RequestLog

/// The filters and the time range of a page, read from its URL or from its form. Its query is the API's.
package struct FilterForm: Sendable, Equatable {
    package private(set) var terms: [FilterTerm] = []
    package var range = TimeRange()
    /// Whether it comes from the form, whose fields have other names: the browser is then sent to ``query``, so that
    /// the address is one that can be shared and read.
    package private(set) var isSubmitted = false

    /// The names of a form's fields.
    private enum Field: String, CaseIterable {
        case name, `operator`, value, range
        /// One that is set already, percent-encoded.
        case filter
    }

    package init() {}

    /// - Parameters:
    ///   - query: of the page.
    ///   - others: parameters that are the page's own.
    package init(_ query: QueryItems, others: [String] = []) {
        var fields: [(field: Field, text: String)] = []
        for (name, value) in query.items where !others.contains(name) {
            if let field = Field.named(name) {
                fields.append((field, value))
                continue
            }
            let term = FilterTerm(parameter: name, value: value)
            guard term.isAboutTime else {
                terms.append(term)
                continue
            }
            if name == "from" {
                range.from = value.isEmpty ? nil : value
            } else {
                range.to = value.isEmpty ? nil : value
            }
        }
        read(fields)
    }

    private mutating func read(_ fields: [(field: Field, text: String)]) {
        guard !fields.isEmpty else { return }
        isSubmitted = true
        func texts(_ field: Field) -> [String] { fields.filter { $0.field == field }.map(\.text) }
        for text in texts(.filter) {
            // What is none is told apart by the log, which knows no such parameter.
            let term = FilterTerm(encoded: text) ?? FilterTerm("filter", value: text)
            if !terms.contains(term) { terms.append(term) }
        }
        let (names, operators, values) = (texts(.name), texts(.operator), texts(.value))
        for index in names.indices where index < operators.count && index < values.count {
            let term = FilterTerm(formName: names[index], operation: operators[index], value: values[index])
            if let term, !terms.contains(term) { terms.append(term) }
        }
        if let chosen = texts(.range).last, chosen != TimeRange.custom {
            range = TimeRange(from: chosen.isEmpty ? nil : chosen, to: nil)
        }
    }

    /// The query of the page and of the API, without `?`.
    package var query: String { Self.query(items) }

    package var items: [(name: String, value: String)] {
        terms.map { ($0.parameter, $0.value) }
            + [("from", range.from), ("to", range.to)].compactMap { name, value in
                value.map { (name, $0) }
            }
    }

    package static func query(_ items: [(name: String, value: String)]) -> String {
        items.map { name, value in
            // Brackets stay readable; those of a name are told apart by their place.
            let name = PercentEncoding.segment(name, keeping: "[]")
            return value.isEmpty && name.hasSuffix("]")
                ? name : "\(name)=\(PercentEncoding.segment(value, keeping: ":,/"))"
        }.joined(separator: "&")
    }

    /// The same with one more filter, or with another value of one that is there.
    package func adding(_ term: FilterTerm) -> FilterForm {
        var form = self
        form.terms.removeAll { $0.parameter == term.parameter }
        form.terms.append(term)
        return form
    }

    /// The same of those requests alone that count as errors.
    var failed: FilterForm {
        let failed = ["failed", "refused", "dead_lettered"]
        // A query has each filter once, so that one that is there is narrowed.
        let chosen = terms.first { $0.parameter == "outcome[in]" }.map { term in
            let values = term.value.split(separator: ",")
            return failed.filter { name in values.contains { $0 == name } }
        }
        if let chosen, chosen.isEmpty { return self }
        return adding(FilterTerm("outcome", operation: "in", value: (chosen ?? failed).joined(separator: ",")))
    }

    /// The same of those alone that a rate limit refused.
    var limited: FilterForm {
        adding(FilterTerm("outcome", value: "refused")).adding(FilterTerm("error_code", value: RequestRow.limitCode))
    }

    package func removing(at index: Int) -> FilterForm {
        var form = self
        form.terms.remove(at: index)
        return form
    }

    /// The same for another time.
    package func during(_ from: Timestamp, _ to: Timestamp) -> FilterForm {
        var form = self
        form.range = TimeRange(from: from.iso8601, to: to.iso8601)
        return form
    }
}
