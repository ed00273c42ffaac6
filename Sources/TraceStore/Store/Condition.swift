internal import Common

/// One condition on rows: of the `filter` parameter or of a simple one.
struct Condition: Sendable, Equatable {
    /// A column that conditions may name.
    enum Column: String, Sendable, CaseIterable {
        case id, traceID = "traceId", parentID = "parentObservationId", type, name, level, statusMessage, version,
            environment, release
        case user = "userId", session = "sessionId", traceName, model, promptName
        case start = "startTime", end = "endTime", created = "createdAt", updated = "updatedAt"
        case tags, isRoot = "isRootObservation", isPublic = "public", bookmarked
        case latency, totalCost
        case metadata, input, output
        /// Of a trace: when it began. Of a score: when it was given.
        case timestamp
        /// Of scores alone.
        case dataType, value, stringValue, source, comment
        case observationID = "observationId", datasetRunID = "datasetRunId", configID = "configId", queueID = "queueId",
            author = "authorUserId"
    }

    /// The comparison of the column.
    enum Test: Sendable, Equatable {
        case anyOf([String])
        case noneOf([String])
        case anyNumberOf([Double])
        case allOf([String])
        case equals(String)
        case contains(String)
        case containsNot(String)
        case startsWith(String)
        case endsWith(String)
        /// With one of `=`, `!=`, `<`, `<=`, `>`, `>=`; milliseconds for times, else the column's own unit.
        case compares(Comparison, Double)
        case isTrue(Bool)
        case isNull(Bool)
        /// As `equals`, `contains`, … of the member `key` of a JSON object.
        indirect case member(String, Test)
    }

    enum Comparison: String, Sendable, CaseIterable {
        case equal = "=", unequal = "!=", less = "<", atMost = "<=", greater = ">", atLeast = ">="
    }

    var column: Column
    var test: Test

    /// Whether few rows can keep to it: an index on the column is worthwhile.
    var isNarrow: Bool {
        switch test {
        case .anyOf(let values): !values.isEmpty
        case .equals: true
        default: false
        }
    }
}
