internal import Common

/// The scores of traces, as Langfuse's APIs tell them: `GET /api/public/v3/scores` of servers of version 4, and the
/// member `scores` of a trace that an older server is asked for by itself.
struct LangfuseScores {
    /// A part of an answer.
    struct Page {
        var scores: [(traceID: UTF8Text, score: TraceScore)]
        /// The place at which the next page begins; nil if this is the last.
        var next: String?
    }

    /// The most scores of a page, and the most traces that one question names: so it stays within the first line of a
    /// request (`TraceIdentity.mostIDs`).
    static let mostScores = 100
    static let mostTraces = 150

    /// Path and query of a page.
    /// - Parameters:
    ///   - traceIDs: none with a comma, which would end it.
    ///   - limit: the most scores of the page.
    func target(of traceIDs: [String], cursor: String?, limit: Int = mostScores) -> String {
        var target = LangfuseTarget(path: "/api/public/v3/scores")
        target.add("fields", "details,subject")
        target.add("limit", limit)
        target.add("traceId", traceIDs.joined(separator: ","))
        if let cursor { target.add("cursor", cursor) }
        return target.text
    }

    /// Nil if the answer is not of the API's form.
    func page(_ bytes: [UInt8]) -> Page? {
        guard let answer = LangfuseJSON(bytes), let rows = answer.objects("data") else { return nil }
        let scores = rows.compactMap { row -> (traceID: UTF8Text, score: TraceScore)? in
            guard let subject = row.nested("subject") else { return nil }
            let isObservation = subject.text("kind") == "observation"
            guard let trace = subject.text(isObservation ? "traceId" : "id") else { return nil }
            return (
                UTF8Text(trace),
                TraceScore(
                    row, value: row.value("value"),
                    observationID: isObservation ? subject.value("id") : LangfuseJSON.null)
            )
        }
        return Page(scores: scores, next: answer.nested("meta")?.text("cursor"))
    }

    /// The scores of a trace of the first API; nil if it does not show them whole.
    func scores(of trace: LangfuseJSON) -> [TraceScore]? {
        trace.objects("scores")?.map { score in
            // There a truth value is a number, and a text has a member of its own.
            let value =
                switch score.text("dataType") {
                case "BOOLEAN": Array((score.count("value") == 1 ? "true" : "false").utf8)
                case "NUMERIC", nil: score.value("value")
                default: score.value("stringValue")
                }
            return TraceScore(score, value: value, observationID: score.value("observationId"))
        }
    }
}

extension TraceScore {
    fileprivate init(_ json: LangfuseJSON, value: [UInt8], observationID: [UInt8]) {
        self.init(
            id: json.value("id"), name: json.value("name"), value: value, dataType: json.value("dataType"),
            source: json.value("source"), comment: json.value("comment"), metadata: json.value("metadata"),
            configID: json.value("configId"), observationID: observationID, timestamp: json.value("timestamp"))
    }
}
