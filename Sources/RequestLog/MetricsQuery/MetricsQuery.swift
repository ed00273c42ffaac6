package import Common

/// A question about what rows measure together: over a range of time, or for each interval of it.
package struct MetricsQuery: Sendable, Equatable {
    /// A property by which rows are grouped.
    package enum Grouping: Sendable, Equatable {
        case project
        case field(RequestField)

        package var name: String {
            switch self {
            case .project: "project"
            case .field(let field): field.name
            }
        }
    }

    /// Its `from` and `to` are set.
    package var filter: RequestFilter
    package var measures: [MetricsMeasure]
    package var groups: [Grouping] = []
    /// Milliseconds of a point of a time series, which begins at a multiple of it since 1970; nil: there is no series.
    package var interval: UInt64?
    /// Groups in the answer; the others stand together as one.
    package var groupLimit = FilterLimits.usualGroups

    package init(filter: RequestFilter, measures: [MetricsMeasure]) {
        self.filter = filter
        self.measures = measures
    }

    /// The measured properties that the measures are made of, each once.
    package var numbers: [RequestNumber] {
        RequestNumber.allCases.filter { number in measures.contains { $0.number == number } }
    }
}

/// The name of a group: for each property its value, or nil for rows without one.
package struct MetricsGroupName: Sendable, Hashable {
    package var values: [UTF8Text?]

    package init(_ values: [UTF8Text?]) { self.values = values }
}

/// The measures of a range's rows together.
package struct MetricsResult: Sendable, Equatable {
    /// In the order of the query's measures. Nil where no row has what the measure is made of.
    package typealias Values = [Double?]

    package struct Point: Sendable, Equatable {
        package var time: Timestamp
        package var values: Values

        package init(time: Timestamp, values: Values) {
            self.time = time
            self.values = values
        }
    }

    package struct Group: Sendable, Equatable {
        /// Nil: the groups that have no place in the answer, as one.
        package var name: MetricsGroupName?
        package var total: Values
        /// Those intervals that have rows, the earliest first.
        package var points: [Point]

        package init(name: MetricsGroupName?, total: Values, points: [Point]) {
            self.name = name
            self.total = total
            self.points = points
        }
    }

    /// Of all rows, each counted once.
    package var total: Values
    /// The one with most requests first, then in the order of their values' bytes; what stands together comes last.
    /// Without grouping there is one group, of all rows.
    package var groups: [Group]

    package init(total: Values, groups: [Group]) {
        self.total = total
        self.groups = groups
    }
}

/// A chart would be made of more rows than one may be.
package struct TooManyRows: Error, Equatable {
    package init() {}
}
