/// The bounds of a question about the request log. They keep each answer within a fraction of a second.
package enum FilterLimits {
    /// Filters in one query.
    package static let filters = 32
    /// Values of one `in` or `not_in`.
    package static let values = 100
    /// Rows of a page, at most and if the query does not say.
    package static let pageRows = 1000
    package static let usualPageRows = 100
    /// Properties by which one chart is grouped.
    package static let groupFields = 3
    /// Groups of an answer, at most and if the query does not say. The others stand together as one.
    package static let groups = 1000
    package static let usualGroups = 100
    /// Measures of one query.
    package static let measures = 24
    /// Points of a time series.
    package static let points = 1500
    /// Suggested keys or values, at most and if the query does not say.
    package static let suggestions = 1000
    package static let usualSuggestions = 100
    /// Rows that one chart is made of: the exact percentiles need each of them in memory.
    package static let chartRows = 3_000_000
    /// Rows that are looked at for one chart: some seconds.
    package static let chartLooks = 20_000_000
    /// The range of a chart whose query does not say from when on.
    package static let usualRange = Duration.seconds(86_400)
}
