internal import Common
internal import JSON

/// Makes the store's row of a span. Which attribute says what is Langfuse's
/// (packages/shared/src/server/otel/OtelIngestionProcessor.ts, version 4.16); of several names the first that is there
/// counts.
enum ObservationMapping {
    static func observation(_ span: OTLPSpan) -> Observation {
        let attributes = span.attributes
        var row = Observation()
        row.traceID = span.traceID
        row.id = span.spanID
        row.parentID = span.parentID
        row.isRoot =
            span.parentID == nil
            || attributes.text("langfuse.internal.is_app_root", "langfuse.internal.as_root") == "true"
        row.name = attributes.text("gen_ai.tool.name", "logfire.msg") ?? span.name
        // A row's times have milliseconds; what is finer is cut off.
        row.start = Timestamp(milliseconds: span.start / 1_000_000)
        row.end = span.end == 0 ? nil : Timestamp(milliseconds: span.end / 1_000_000)
        row.level = attributes.text("langfuse.observation.level").flatMap(level) ?? (span.isError ? "ERROR" : "DEFAULT")
        row.statusMessage = attributes.text("langfuse.observation.status_message") ?? span.statusMessage
        row.isPublic = attributes.text("langfuse.trace.public", "langfuse.public") == "true"
        readTrace(span, into: &row)
        readGeneration(attributes, into: &row)
        row.type = type(attributes, hasModel: row.model != nil)
        let content = SpanContent(attributes)
        (row.input, row.output) = (content.input, content.output)
        row.traceInput = attributes.text("langfuse.trace.input").flatMap { $0 == row.input ? nil : $0 }
        row.traceOutput = attributes.text("langfuse.trace.output").flatMap { $0 == row.output ? nil : $0 }
        row.metadata = ObservationMetadata.json(of: span)
        return row
    }

    private static func readTrace(_ span: OTLPSpan, into row: inout Observation) {
        let attributes = span.attributes
        row.traceName = attributes.text("langfuse.trace.name") ?? (span.parentID == nil ? span.name : nil)
        row.user = attributes.text(
            "langfuse.user.id", "user.id", "langfuse.observation.metadata.langfuse_user_id",
            "ai.telemetry.metadata.userId")
        row.session = attributes.text(
            "langfuse.session.id", "session.id", "gen_ai.conversation.id",
            "langfuse.observation.metadata.langfuse_session_id",
            "ai.telemetry.metadata.sessionId")
        row.release = attributes.text("langfuse.release") ?? span.resource.text("langfuse.release")
        row.version = attributes.text("langfuse.version") ?? span.resource.text("langfuse.version", "service.version")
        row.environment = environment(
            attributes.text("langfuse.environment", "deployment.environment.name", "deployment.environment")
                ?? span.resource.text("langfuse.environment", "deployment.environment.name", "deployment.environment"))
        row.tags = tags(attributes)
    }

    private static func readGeneration(_ attributes: OTLPAttributes, into row: inout Observation) {
        row.model = attributes.text(
            "langfuse.observation.model.name", "gen_ai.response.model", "ai.model.id", "gen_ai.request.model",
            "llm.response.model", "llm.model_name",
            "model")
        row.modelParameters = attributes.text("langfuse.observation.model.parameters", "llm.invocation_parameters")
            .flatMap(EmbeddedJSON.object)
        row.usage = Usage.details(attributes)
        (row.cost, row.totalCost) = Usage.cost(attributes)
        // LiteLLM quotes the time twice.
        let firstToken = attributes.text("langfuse.observation.completion_start_time")
        row.firstToken = firstToken.flatMap {
            TimeText.milliseconds(String(decoding: $0.utf8.filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self))
        }
        row.promptName = attributes.text("langfuse.observation.prompt.name")
        row.promptVersion = attributes.text("langfuse.observation.prompt.version").flatMap { Int64($0) }
    }

    static func level(_ text: String) -> String? {
        ["DEBUG", "DEFAULT", "WARNING", "ERROR"].first { $0.equalsIgnoringASCIICase(text) }
    }

    private static let types = [
        "GENERATION", "SPAN", "EVENT", "EMBEDDING", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "GUARDRAIL", "EVALUATOR",
    ]
    private static let openInference = [("LLM", "GENERATION"), ("RERANKER", "RETRIEVER")] + types.map { ($0, $0) }
    private static let operations: [UTF8Text: String] = [
        "chat": "GENERATION", "completion": "GENERATION", "text_completion": "GENERATION",
        "generate_content": "GENERATION", "generate": "GENERATION",
        "embeddings": "EMBEDDING", "invoke_agent": "AGENT", "create_agent": "AGENT", "execute_tool": "TOOL",
    ]

    /// One of Langfuse's types, in either case.
    static func type(_ text: String) -> String? { types.first(where: text.equalsIgnoringASCIICase) }

    private static func type(_ attributes: OTLPAttributes, hasModel: Bool) -> String {
        if let type = attributes.text("langfuse.observation.type").flatMap(type) { return type }
        if let kind = attributes.text("openinference.span.kind"),
            let known = openInference.first(where: { kind.equalsIgnoringASCIICase($0.0) })
        {
            return known.1
        }
        if let operation = attributes.text("gen_ai.operation.name"), let type = operations[operation] { return type }
        return hasModel ? "GENERATION" : "SPAN"
    }

    /// Lower case, without a leading `langfuse`, at most 40 characters of `a-z0-9-_`; anything else is `default`.
    static func environment(_ text: String?) -> String {
        guard var rest = text?.utf8[...] else { return "default" }
        while String(Substring(rest.prefix(8))).equalsIgnoringASCIICase("langfuse") { rest = rest.dropFirst(8) }
        let name = String(decoding: rest.prefix(40).map(\.asciiLowercased), as: UTF8.self)
        let isSound =
            !name.isEmpty
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "-_".utf8.contains($0)
            }
        return isSound ? name : "default"
    }

    /// Tags are a list, or a JSON list in a string; a plain string is split at its commas.
    static func tags(_ attributes: OTLPAttributes) -> [String] {
        let names = [
            "langfuse.trace.tags", "langfuse.tags", "langfuse.observation.metadata.langfuse_tags",
            "langfuse.trace.metadata.langfuse_tags",
            "ai.telemetry.metadata.tags", "tag.tags",
        ]
        for name in names {
            var tags: [String]
            switch attributes[name] {
            case .array(let values): tags = values.compactMap(\.text)
            case .string(let text):
                tags = EmbeddedJSON.strings(text) ?? text.split(separator: ",").map { String($0.trimmed) }
            default: continue
            }
            tags = distinct(tags)
            if !tags.isEmpty { return tags }
        }
        return []
    }

    /// Tags that are not empty, each once.
    static func distinct(_ tags: [String]) -> [String] {
        var seen = JSONNames()
        return tags.filter { !$0.isEmpty && seen.insert($0) }
    }
}
