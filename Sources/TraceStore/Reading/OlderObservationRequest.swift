internal import Common

/// The parameters of `GET /api/public/observations`: those of the newer route, but pages by number, all members, and
/// no cursor.
struct OlderObservationRequest {
    var query: ObservationQuery
    /// From 1.
    var page: Int

    init(_ parameters: QueryParameters, project: Int64) throws(LangfuseError) {
        let pages = try PageParameters(parameters)
        query = ObservationQuery(project: project)
        query.conditions = try ObservationRequest.conditions(parameters)
        query.readsContent = true
        (page, query.limit, query.offset) = (pages.page, pages.limit, pages.offset)
    }
}
