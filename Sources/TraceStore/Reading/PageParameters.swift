/// The place of a page that has a number, as the older API counts: `page` and `limit`.
struct PageParameters {
    private static let maximumLimit = 100
    /// The last page that can be asked for.
    private static let maximumPage = 10_000_000

    /// From 1.
    let page: Int
    let limit: Int
    /// Rows before the page.
    var offset: Int { (page - 1) * limit }

    init(_ parameters: QueryParameters) throws(LangfuseError) {
        limit = try parameters.int("limit", in: 1...Self.maximumLimit, default: 50)
        page = try parameters.int("page", in: 1...Self.maximumPage, default: 1)
    }
}
