internal import Common

/// The query of `GET /logs/requests` or `GET /logs/audit`.
struct PageQuery<Filter> {
    var filter: Filter
    var cursor: PageCursor?
    var limit: Int
    /// Nil: one page as JSON.
    var form: ExportForm?

    private static var parameters: [String] { ["cursor", "limit", "format"] }

    /// - Parameter parser: reads the filters.
    /// - Throws: a 400 that names the parameter.
    init<Parser: RowFilterParser>(_ query: QueryItems, _ parser: Parser) throws(GatewayError)
    where Parser.Filter == Filter {
        var parser = parser
        for (name, value) in query.items where try !parser.read(name, value) {
            guard Self.parameters.contains(name) else {
                throw .unknownParameter(name, known: Self.parameters + Parser.names)
            }
        }
        for name in Self.parameters where query.values(name).count > 1 {
            throw .invalidQuery(name, "is given twice. Give it once")
        }
        filter = try parser.finished()
        form = try Self.form(query)
        let limit = try query.integer("limit", in: 1...FilterLimits.pageRows)
        guard form == nil || limit == nil else {
            throw .invalidQuery(
                "limit", "is for pages: an export has all rows. Leave it out, or narrow `from` and `to`")
        }
        self.limit = form == nil ? limit ?? FilterLimits.usualPageRows : FilterLimits.pageRows
        guard let text = query.value("cursor") else { return }
        guard let cursor = PageCursor(text) else {
            throw .invalidQuery("cursor", "must be a `next_cursor` of a page before. Leave it out for the first page")
        }
        self.cursor = cursor
    }

    private static func form(_ query: QueryItems) throws(GatewayError) -> ExportForm? {
        guard let text = query.value("format"), text != "json" else { return nil }
        guard let form = ExportForm.named(text) else {
            throw .invalidQuery("format", "must be json, jsonl or csv")
        }
        return form
    }
}
