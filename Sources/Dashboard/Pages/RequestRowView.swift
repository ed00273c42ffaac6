internal import Common

/// A request as a line of a table.
struct RequestRowView {
    struct Tag {
        var tagName: String
        var tagValue: String
        var tagLink: String
    }

    var rowLink: String
    var rowID: String
    var isoTime: String
    var rowTime: String
    var rowStatus: Int
    var rowTone: String
    var rowOutcome: String
    var rowError: String
    var rowModel: String
    var rowRollout: String?
    var rowRolloutLink: String?
    var rowName: String
    var tags: [Tag]
    var moreTags: String?
    var tokens: String
    var cost: String
    var firstToken: String
    var latency: String

    /// Metadata that a line shows; the page of the request has all.
    private static let mostTags = 2

    init(_ request: LoggedRequest, links: Links, form: FilterForm) {
        rowLink = links.request(request.id)
        rowID = request.id
        isoTime = request.time
        rowTime = Figures.time(request.time)
        rowStatus = request.status
        rowTone = request.tone
        rowOutcome = Self.words(request.outcome)
        rowError = request.object.text("error_code") ?? ""
        rowModel = request.model ?? "–"
        rowRollout = request.rollout
        rowRolloutLink = request.rollout.map { links.rollout($0) }
        rowName = request.object.text("row_id") ?? ""
        let metadata = request.metadata
        tags = metadata.prefix(Self.mostTags).map { entry in
            Tag(
                tagName: entry.name, tagValue: entry.value,
                tagLink: links.requests(where: FilterTerm("metadata." + entry.name, value: entry.value), in: form))
        }
        moreTags = metadata.count > Self.mostTags ? "+\(metadata.count - Self.mostTags)" : nil
        let (input, output) = (request.object.number("input_tokens"), request.object.number("output_tokens"))
        tokens =
            input == nil && output == nil
            ? "–" : "\(input.map(Figures.compact) ?? "–") → \(output.map(Figures.compact) ?? "–")"
        cost = request.object.number("cost_usd").map(Figures.dollars) ?? "–"
        firstToken = request.object.number("time_to_first_token_ms").map(Figures.duration) ?? "–"
        latency = Figures.duration(request.latency)
    }

    static func words(_ outcome: String) -> String { outcome == "dead_lettered" ? "dead letter" : outcome }
}
