internal import GRDB

/// Reads a row of the tables.
enum ObservationRow {
    /// What `observation` reads, in its order; behind them come input, output and metadata.
    static let columns = """
        o.id, o.traceId, o.spanId, o.start, o."end", o.parent, o.root, o.type, o.name, o.level, o.statusMessage, o.version, o.environment, o.release, \
        o.user, o.session, o.traceName, o.tags, o.public, o.model, o.modelParameters, o.usage, o.cost, o.totalCost, o.firstToken, o.promptName, \
        o.promptVersion, o.created, o.updated
        """

    static func number(_ row: Row) -> Int64 { row[0] }

    static func observation(_ row: Row) -> Observation {
        var observation = Observation()
        observation.traceID = row[1]
        observation.id = row[2]
        observation.start = row[3]
        observation.end = row[4]
        observation.parentID = row[5]
        observation.isRoot = row[6]
        observation.type = row[7]
        observation.name = row[8]
        observation.level = row[9]
        observation.statusMessage = row[10]
        observation.version = row[11]
        observation.environment = row[12]
        observation.release = row[13]
        observation.user = row[14]
        observation.session = row[15]
        observation.traceName = row[16]
        observation.tags = (row[17] as String?).map(TagList.tags) ?? []
        observation.isPublic = row[18]
        observation.model = row[19]
        observation.modelParameters = row[20]
        observation.usage = row[21]
        observation.cost = row[22]
        observation.totalCost = row[23]
        observation.firstToken = row[24]
        observation.promptName = row[25]
        observation.promptVersion = row[26]
        observation.created = row[27]
        observation.updated = row[28]
        observation.input = row[29]
        observation.output = row[30]
        observation.metadata = row[31]
        return observation
    }
}
