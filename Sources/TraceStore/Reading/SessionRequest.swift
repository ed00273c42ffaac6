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
        query.from = try parameters.time("fromTimestamp")
        query.to = try parameters.time("toTimestamp")
        query.environments = parameters.list("environment")
    }
}
