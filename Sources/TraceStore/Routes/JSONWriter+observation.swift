internal import Common
internal import JSON

extension JSONWriter {
    /// Characters of a metadata value that are shown unless it is wanted whole.
    private static let shownMetadata = 200

    /// A row of `GET /api/public/v2/observations`.
    mutating func observation(_ row: Observation, project: String, _ request: ObservationRequest) {
        let groups = request.groups
        object { writer in
            writer.core(row, project: project)
            if groups.contains(.basic) { writer.basic(row) }
            if groups.contains(.time) {
                writer.member("completionStartTime", row.firstToken.map(TimeText.iso))
                writer.times(row)
            }
            if groups.contains(.io) {
                writer.member("input", row.input)
                writer.member("output", row.output)
            }
            if groups.contains(.metadata) {
                writer.member("metadata") { $0.metadata(row.metadata, expanded: request.expanded) }
            }
            if groups.contains(.model) {
                writer.member("providedModelName", row.model)
                writer.member("model", row.model)
                writer.member("internalModelId", String?.none)
                writer.member("modelParameters", row.modelParameters)
            }
            if groups.contains(.usage) {
                writer.usage(row)
                writer.member("usagePricingTierName", String?.none)
            }
            if groups.contains(.prompt) { writer.prompt(row) }
            if groups.contains(.metrics) { writer.metrics(row) }
            if groups.contains(.traceContext) {
                writer.member("tags") { $0.array(row.tags) { $0.string($1) } }
                writer.member("release", row.release)
                writer.member("traceName", row.traceName)
            }
            for name in ["modelId", "inputPrice", "outputPrice", "totalPrice"] { writer.member(name, String?.none) }
        }
    }

    private mutating func core(_ row: Observation, project: String) {
        member("id", row.id)
        member("traceId", row.traceID)
        member("startTime", row.start.iso8601)
        member("endTime", row.end?.iso8601)
        member("projectId", project)
        member("parentObservationId", row.parentID)
        member("type", row.type)
    }

    private mutating func basic(_ row: Observation) {
        member("name", row.name)
        member("level", row.level)
        member("statusMessage", row.statusMessage)
        member("version", row.version)
        member("environment", row.environment)
        member("bookmarked", false)
        member("public", row.isPublic)
        member("userId", row.user)
        member("sessionId", row.session)
        member("isRootObservation", row.isRoot)
    }

    private mutating func times(_ row: Observation) {
        member("createdAt", row.created.iso8601)
        member("updatedAt", row.updated.iso8601)
    }

    private mutating func usage(_ row: Observation) {
        member("usageDetails") { $0.raw(row.usage ?? "{}") }
        member("costDetails") { $0.raw(row.cost ?? "{}") }
        member("totalCost", row.totalCost)
    }

    private mutating func prompt(_ row: Observation) {
        member("promptId", String?.none)
        member("promptName", row.promptName)
        member("promptVersion", row.promptVersion.map(Double.init))
    }

    /// In seconds.
    private mutating func metrics(_ row: Observation) {
        member("latency", row.end.map { Double(($0 - row.start).milliseconds) / 1000 })
        member("timeToFirstToken", row.firstToken.map { Double($0 - row.start.columnValue) / 1000 })
    }

    private mutating func metadata(_ text: String?, expanded: Set<UTF8Text>) {
        guard let text, let object = EmbeddedJSON.scan(text) else { return raw("{}") }
        self.object { writer in
            for member in object.members {
                guard let name = object.name(of: member) else { continue }
                let value = object.string(member) ?? String(decoding: object.bytes[member.value], as: UTF8.self)
                writer.member(
                    name, expanded.contains(name) ? value : String(value.unicodeScalars.prefix(Self.shownMetadata)))
            }
        }
    }

    /// An observation of the older API: everything, with input and output as JSON where they are JSON.
    mutating func fullObservation(_ row: Observation, project: String) {
        let details = row.usage.flatMap(EmbeddedJSON.scan)
        let tokens = ["input", "output", "total"].map { name in details?.number(name).flatMap { Int($0) } ?? 0 }
        let total = tokens[2] > 0 ? tokens[2] : tokens[0] + tokens[1]
        object { writer in
            writer.core(row, project: project)
            writer.basic(row)
            writer.member("completionStartTime", row.firstToken.map(TimeText.iso))
            writer.times(row)
            writer.member("input") { $0.json(orText: row.input) }
            writer.member("output") { $0.json(orText: row.output) }
            writer.member("metadata") { $0.raw(row.metadata ?? "{}") }
            writer.member("model", row.model)
            writer.member("modelParameters") { $0.raw(row.modelParameters ?? "null") }
            writer.prompt(row)
            writer.usage(row)
            writer.member("usage") { writer in
                writer.object { writer in
                    writer.member("unit", "TOKENS")
                    for (name, count) in zip(["input", "output", "total"], [tokens[0], tokens[1], total]) {
                        writer.member(name, count)
                    }
                }
            }
            writer.member("unit", "TOKENS")
            for (name, count) in zip(
                ["promptTokens", "completionTokens", "totalTokens"], [tokens[0], tokens[1], total])
            {
                writer.member(name, count)
            }
            for name in [
                "modelId", "inputPrice", "outputPrice", "totalPrice", "calculatedInputCost", "calculatedOutputCost",
            ] {
                writer.member(name, String?.none)
            }
            writer.member("calculatedTotalCost", row.totalCost)
            writer.metrics(row)
        }
    }

    /// Text that is JSON as what it is, any other as a string.
    mutating func json(orText text: String?) {
        guard let text else { return raw("null") }
        if EmbeddedJSON.isJSON(text) { raw(text) } else { string(text) }
    }
}
