internal import Common
internal import Upstream

extension LangfuseSource {
    /// Adds the scores to the rows of a page: one more call, and another for each further hundred scores. A server
    /// without the API for them leaves them unknown.
    func addScores(to page: inout TracePage, _ until: ContinuousClock.Instant?) async throws(TraceSourceError) {
        let names = Set(page.rows.map { UTF8Text($0.head.traceID) }).sorted().map(\.text).filter {
            !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: ","))
        }
        guard !names.isEmpty else { return }
        var scores: [UTF8Text: [TraceScore]] = [:]
        var count = 0
        for start in stride(from: 0, to: names.count, by: LangfuseScores.mostTraces) {
            let some = Array(names[start..<min(start + LangfuseScores.mostTraces, names.count)])
            guard let found = try await self.scores(of: some, upTo: limits.scores - count, until) else { return }
            count += found.count
            for (trace, score) in found { scores[trace, default: []].append(score) }
        }
        for index in page.rows.indices {
            page.rows[index].scores = scores[UTF8Text(page.rows[index].head.traceID)] ?? []
        }
    }

    /// All scores of some traces, the newest first; nil if the server does not have the API.
    private func scores(
        of traceIDs: [String], upTo most: Int, _ until: ContinuousClock.Instant?
    ) async throws(TraceSourceError) -> [(traceID: UTF8Text, score: TraceScore)]? {
        var (scores, cursor): ([(traceID: UTF8Text, score: TraceScore)], String?) = ([], nil)
        var limit = LangfuseScores.mostScores
        repeat {
            guard let page = try await scorePage(of: traceIDs, after: cursor, limit: &limit, until) else { return nil }
            // A cursor that leads nowhere would lead there for ever.
            guard page.next == nil || !page.scores.isEmpty && page.next != cursor else { throw PageWalk.trouble }
            scores += page.scores
            cursor = page.next
            guard scores.count <= most else {
                throw tooMuch(of: traceIDs, "more than \(limits.scores) scores (TRACES_MAX_SCORES)")
            }
        } while cursor != nil
        return scores
    }

    /// A page of scores; nil if the server does not have the API.
    /// - Parameter limit: the most scores of it, which become fewer as long as they are too large: a score's comment
    ///   and metadata may be of any size.
    private func scorePage(
        of traceIDs: [String], after cursor: String?, limit: inout Int, _ until: ContinuousClock.Instant?
    ) async throws(TraceSourceError) -> LangfuseScores.Page? {
        let dialect = LangfuseScores()
        while true {
            do throws(TraceSourceError) {
                let answer = try await ask(dialect.target(of: traceIDs, cursor: cursor, limit: limit), by: .v2, until)
                if answer.isNotFound { return nil }
                if let error = answer.error(from: store.host) { throw error }
                guard let page = dialect.page(answer.body) else { throw malformed }
                return page
            } catch .tooLarge {
                guard limit > 1 else { throw tooMuch(of: traceIDs, "a score that the trace store finds too large") }
                limit /= 2
            }
        }
    }

    /// The error for scores that cannot be read. It has fewer traces asked for at once, or refuses the question if
    /// there is only one trace.
    /// - Parameter what: what the trace has.
    private func tooMuch(of traceIDs: [String], _ what: String) -> TraceSourceError {
        guard traceIDs.count == 1 else { return .tooLarge }
        return .refused("trace \(traceIDs[0]) has \(what); name the `fields` without scores")
    }
}
