internal import Common
internal import RequestLog

/// The form of filters above requests and charts.
struct FilterView {
    struct Chip {
        var chipName: String
        var chipSign: String
        var chipValue: String
        /// The filter as it is sent again: percent-encoded, since a form's field keeps no control characters.
        var chipQuery: String
        var removeLink: String
    }

    struct Choice {
        var choiceValue: String
        var choiceLabel: String
        var isSelected: Bool
    }

    var formAction: String
    var chips: [Chip]
    var ranges: [Choice]
    var operators: [Choice]
    var names: [String]
    /// The names that are not metadata keys, with spaces between them.
    var properties: String
    var suggestionsLink: String
    /// The log's complaint about the query.
    var filterError: String?
    /// Kept as it is: a range of the URL's own, and the page's other parameters.
    var kept: [Kept]
    var clearLink: String?
    /// The properties by which a chart can be grouped; none: there is no chart.
    var isGrouping: Bool
    var groupBy: String

    struct Kept {
        var keptName: String
        var keptValue: String
    }

    /// - Parameters:
    ///   - path: of the page.
    ///   - usual: the range of a page whose query says none; nil: all that is kept.
    ///   - grouping: what a chart is grouped by; nil: the page has none.
    init(
        _ form: FilterForm, path: String, links: Links, keys: [String], usual: String?, grouping: String? = nil,
        error: String?
    ) {
        formAction = path
        properties = FilterTerm.properties.joined(separator: " ")
        suggestionsLink = links.base + "/suggestions"
        filterError = error
        isGrouping = grouping != nil
        groupBy = grouping ?? ""
        let own = grouping.map { $0.isEmpty ? [] : [("group_by", $0)] } ?? []
        func link(_ form: FilterForm) -> String {
            let query = FilterForm.query(form.items + own)
            return query.isEmpty ? path : "\(path)?\(query)"
        }
        chips = form.terms.enumerated().map { index, term in
            Chip(
                chipName: term.name, chipSign: term.sign, chipValue: term.value,
                chipQuery: FilterForm.query([(term.parameter, term.value)]),
                removeLink: link(form.removing(at: index)))
        }
        let chosen = form.range.from ?? usual ?? ""
        ranges = TimeRange.presets.map { preset in
            Choice(
                choiceValue: preset.text, choiceLabel: preset.label,
                isSelected: form.range.isPreset && preset.text == chosen)
        }
        if usual == nil {
            ranges.insert(
                Choice(choiceValue: "", choiceLabel: "Any time", isSelected: form.range == TimeRange()), at: 0)
        }
        kept = []
        if !form.range.isPreset {
            let text = [form.range.from, form.range.to].map { $0.map(Figures.time) ?? "now" }.joined(separator: " – ")
            ranges.append(Choice(choiceValue: TimeRange.custom, choiceLabel: text, isSelected: true))
            kept = [("from", form.range.from), ("to", form.range.to)].compactMap { name, value in
                value.map { Kept(keptName: name, keptValue: $0) }
            }
        }
        operators = FilterTerm.operations.map {
            Choice(choiceValue: $0.name, choiceLabel: $0.label, isSelected: $0.name == "eq")
        }
        names =
            keys.map { RequestField.metadataPrefix + $0 } + FilterTerm.ownNames
        clearLink = form.terms.isEmpty ? nil : link(Self.emptied(form))
    }

    private static func emptied(_ form: FilterForm) -> FilterForm {
        var empty = FilterForm()
        empty.range = form.range
        return empty
    }
}
