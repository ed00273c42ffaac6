internal import Common

/// The parameters of `GET /api/public/sessions`.
struct SessionRequest {
    var query: SessionQuery
    /// From 1.
    var page: Int

    init(_ parameters: QueryParameters, project: Int64) throws(LangfuseError) {
        query = SessionQuery(project: project)
        let pages = try PageParameters(parameters)
        (page, query.limit, query.offset) = (pages.page, pages.limit, pages.offset)
        // No session begins before 1970.
        query.from = try parameters.time("fromTimestamp").map { Timestamp(clamping: $0) }
        query.to = try parameters.time("toTimestamp").map { Timestamp(clamping: $0) }
        query.environments = parameters.list("environment")
    }
}
