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
        let term = group.isAbsent ? FilterTerm(property, "absent", "") : FilterTerm(property, nil, group.label)
        return links.requests(where: term, in: counted ?? form)
    }

    var requests: Chart {
        property == nil
            ? chart(
                "Requests", .bars, Figures.compact,
                [
                    series("ok", "1", { ($0.number("requests") ?? 0) - ($0.number("errors") ?? 0) }, Figures.compact),
                    series("errors", "bad", { $0.number("errors") }, Figures.compact),
                ]) : grouped("Requests", .bars, "requests", Figures.compact)
    }

    var errors: Chart {
        property == nil
            ? chart(
                "Errors", .bars, Figures.compact,
                [
                    series(
                        "errors", "bad", { ($0.number("errors") ?? 0) - ($0.number("limit_hits") ?? 0) },
                        Figures.compact),
                    series("rate limits", "4", { $0.number("limit_hits") }, Figures.compact),
                ], of: form.failed) : grouped("Errors", .bars, "errors", Figures.compact, of: form.failed)
    }

    /// Requests that a limit refused, by the property.
    var refusals: Chart { grouped("Refused by limits", .bars, "limit_hits", Figures.compact, of: form.limited) }

    var tokens: Chart {
        let both = { (point: JSONObject) -> Double? in
            (point.number("input_tokens") ?? 0) + (point.number("output_tokens") ?? 0)
        }
        guard property == nil else { return grouped("Tokens", .bars, Figures.compact, both) }
        return chart(
            "Tokens", .bars, Figures.compact,
            [
                series("input", "1", { $0.number("input_tokens") }, Figures.compact),
                series("output", "2", { $0.number("output_tokens") }, Figures.compact),
            ])
    }

    var cost: Chart {
        property == nil
            ? chart("Cost", .bars, Figures.dollars, [series("cost", "3", { $0.number("cost") }, Figures.dollars)])
            : grouped("Cost", .bars, "cost", Figures.dollars)
    }

    var latency: Chart { percentiles("Latency", "latency") }
    var firstToken: Chart { percentiles("Time to first token", "time_to_first_token") }

    private func percentiles(_ title: String, _ measure: String) -> Chart {
        guard property == nil else { return grouped(title + " p90", .lines, measure + "_p90", Figures.duration) }
        return chart(
            title, .lines, Figures.duration,
            [("p50", "1"), ("p90", "4"), ("p99", "5")].map { name, colour in
                series(name, colour, { $0.number("\(measure)_\(name)") }, Figures.duration)
            })
    }

    private func grouped(
        _ title: String, _ kind: Chart.Form, _ measure: String, _ show: @escaping (Double) -> String,
        of counted: FilterForm? = nil
    ) -> Chart {
        grouped(title, kind, show, of: counted) { $0.number(measure) }
    }

    private func grouped(
        _ title: String, _ kind: Chart.Form, _ show: @escaping (Double) -> String, of counted: FilterForm? = nil,
        _ value: (JSONObject) -> Double?
    ) -> Chart {
        chart(
            title, kind, show,
            answer.groups.enumerated().map { index, group in
                Chart.Series(
                    name: group.label, colour: group.isOther ? "other" : String(index % Self.groups + 1),
                    values: answer.times.map { group.points[$0].flatMap(value) }, link: link(group, of: counted),
                    total: value(group.total).map(show) ?? "–")
            }, of: counted)
    }

    /// A series of all rows, which without a property are one group.
    private func series(
        _ name: String, _ colour: String, _ value: (JSONObject) -> Double?, _ show: (Double) -> String
    ) -> Chart.Series {
        Chart.Series(
            name: name, colour: colour, values: answer.times.map { answer.groups.first?.points[$0].flatMap(value) },
            total: value(answer.total).map(show) ?? "–")
    }

    /// - Parameter counted: the rows that its numbers are of; nil: all.
    private func chart(
        _ title: String, _ kind: Chart.Form, _ show: @escaping (Double) -> String, _ series: [Chart.Series],
        of counted: FilterForm? = nil
    ) -> Chart {
        Chart(title: title, form: kind, times: answer.times, interval: answer.interval, series: series, show: show) {
            from, to in
            links.requests((counted ?? form).during(from, to).query)
        }
    }
}
