internal import GRDB

/// Reads a row of the tables, as a cursor stands on it (``WholeText``).
enum ObservationRow {
    /// The columns that `observation` reads, in its order; behind them come input, output and metadata.
    static let columns = """
        o.id, o.traceId, o.spanId, o.start, o."end", o.parent, o.root, o.type, o.name, o.level, o.statusMessage, o.version, o.environment, o.release, \
        o.user, o.session, o.traceName, o.tags, o.public, o.model, o.modelParameters, o.usage, o.cost, o.totalCost, o.firstToken, o.promptName, \
        o.promptVersion, o.created, o.updated
        """

    static func number(_ row: Row) -> Int64 { row[0] }

    static func observation(_ row: Row) -> Observation {
        var observation = Observation()
        observation.traceID = row.text(1) ?? ""
        observation.id = row.text(2) ?? ""
        observation.start = row[3]
        observation.end = row[4]
        observation.parentID = row.text(5)
        observation.isRoot = row[6]
        observation.type = row.text(7) ?? ""
        observation.name = row.text(8)
        observation.level = row.text(9) ?? ""
        observation.statusMessage = row.text(10)
        observation.version = row.text(11)
        observation.environment = row.text(12) ?? ""
        observation.release = row.text(13)
        observation.user = row.text(14)
        observation.session = row.text(15)
        observation.traceName = row.text(16)
        observation.tags = row.text(17).map(TagList.tags) ?? []
        observation.isPublic = row[18]
        observation.model = row.text(19)
        observation.modelParameters = row.text(20)
        observation.usage = row.text(21)
        observation.cost = row.text(22)
        observation.totalCost = row[23]
        observation.firstToken = row[24]
        observation.promptName = row.text(25)
        observation.promptVersion = row[26]
        observation.created = row[27]
        observation.updated = row[28]
        observation.input = row.text(29)
        observation.output = row.text(30)
        observation.metadata = row.text(31)
        return observation
    }
}
