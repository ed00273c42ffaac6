internal import Common
internal import JSON

/// The charts that a metrics answer makes.
struct MetricsCharts {
    static let measures = [
        "requests", "errors", "limit_hits", "input_tokens", "output_tokens", "cost", "latency_p50", "latency_p90",
        "latency_p99", "time_to_first_token_p50", "time_to_first_token_p90", "time_to_first_token_p99",
    ]
    /// Groups that have a colour of their own.
    static let groups = 8

    let answer: MetricsResponse
    let form: FilterForm
    let links: Links
    /// The property that rows are grouped by; nil: they are not.
    let property: String?

    /// Requests of a group.
    /// - Parameter counted: which of them; nil: all.
    func link(_ group: MetricsResponse.Group, of counted: FilterForm? = nil) -> String? {
        guard let property, !group.isOther else { return nil }
        let term =
            group.isAbsent
            ? FilterTerm(property, operation: "absent", value: "") : FilterTerm(property, value: group.label)
        return links.requests(where: term, in: counted ?? form)
    }

    var requests: Chart {
        property == nil
            ? chart(
                "Requests", as: .bars, show: Figures.compact,
                series: [
                    series(
                        "ok", colour: "1", value: { ($0.number("requests") ?? 0) - ($0.number("errors") ?? 0) },
                        show: Figures.compact),
                    series("errors", colour: "bad", value: { $0.number("errors") }, show: Figures.compact),
                ]) : grouped("Requests", as: .bars, measure: "requests", show: Figures.compact)
    }

    var errors: Chart {
        property == nil
            ? chart(
                "Errors", as: .bars, show: Figures.compact,
                series: [
                    series(
                        "errors", colour: "bad", value: { ($0.number("errors") ?? 0) - ($0.number("limit_hits") ?? 0) },
                        show: Figures.compact),
                    series("rate limits", colour: "4", value: { $0.number("limit_hits") }, show: Figures.compact),
                ], of: form.failed)
            : grouped("Errors", as: .bars, measure: "errors", show: Figures.compact, of: form.failed)
    }

    /// Requests that a limit refused, by the property.
    var refusals: Chart {
        grouped("Refused by limits", as: .bars, measure: "limit_hits", show: Figures.compact, of: form.limited)
    }

    var tokens: Chart {
        let both = { (point: JSONObject) -> Double? in
            (point.number("input_tokens") ?? 0) + (point.number("output_tokens") ?? 0)
        }
        guard property == nil else { return grouped("Tokens", as: .bars, show: Figures.compact, value: both) }
        return chart(
            "Tokens", as: .bars, show: Figures.compact,
            series: [
                series("input", colour: "1", value: { $0.number("input_tokens") }, show: Figures.compact),
                series("output", colour: "2", value: { $0.number("output_tokens") }, show: Figures.compact),
            ])
    }

    var cost: Chart {
        property == nil
            ? chart(
                "Cost", as: .bars, show: Figures.dollars,
                series: [series("cost", colour: "3", value: { $0.number("cost") }, show: Figures.dollars)])
            : grouped("Cost", as: .bars, measure: "cost", show: Figures.dollars)
    }

    var latency: Chart { percentiles("Latency", "latency") }
    var firstToken: Chart { percentiles("Time to first token", "time_to_first_token") }

    private func percentiles(_ title: String, _ measure: String) -> Chart {
        guard property == nil else {
            return grouped(title + " p90", as: .lines, measure: measure + "_p90", show: Figures.duration)
        }
        return chart(
            title, as: .lines, show: Figures.duration,
            series: [("p50", "1"), ("p90", "4"), ("p99", "5")].map { name, colour in
                series(name, colour: colour, value: { $0.number("\(measure)_\(name)") }, show: Figures.duration)
            })
    }

    private func grouped(
        _ title: String, as kind: Chart.Form, measure: String, show: @escaping (Double) -> String,
        of counted: FilterForm? = nil
    ) -> Chart {
        grouped(title, as: kind, show: show, of: counted) { $0.number(measure) }
    }

    private func grouped(
        _ title: String, as kind: Chart.Form, show: @escaping (Double) -> String, of counted: FilterForm? = nil,
        value: (JSONObject) -> Double?
    ) -> Chart {
        chart(
            title, as: kind, show: show,
            series: answer.groups.enumerated().map { index, group in
                Chart.Series(
                    name: group.label, colour: group.isOther ? "other" : String(index % Self.groups + 1),
                    values: answer.times.map { group.points[$0].flatMap(value) }, link: link(group, of: counted),
                    total: value(group.total).map(show) ?? "–")
            }, of: counted)
    }

    /// A series of all rows, which without a property are one group.
    private func series(
        _ name: String, colour: String, value: (JSONObject) -> Double?, show: (Double) -> String
    ) -> Chart.Series {
        Chart.Series(
            name: name, colour: colour, values: answer.times.map { answer.groups.first?.points[$0].flatMap(value) },
            total: value(answer.total).map(show) ?? "–")
    }

    /// - Parameter counted: the rows that its numbers are of; nil: all.
    private func chart(
        _ title: String, as kind: Chart.Form, show: @escaping (Double) -> String, series: [Chart.Series],
        of counted: FilterForm? = nil
    ) -> Chart {
        Chart(title: title, form: kind, times: answer.times, interval: answer.interval, series: series, show: show) {
            from, to in
            links.requests((counted ?? form).during(from, to).query)
        }
    }
}
