internal import Common

/// The rows of a span that the gateway itself made: the same that come of it by way of OTLP.
extension ObservationMapping {
    /// The completion's row, and behind it those of its attempts.
    static func observations(_ span: SpanRecord) -> [Observation] {
        [observation(span)] + span.attempts.map { observation(OTLPSpan($0, of: span.id)) }
    }

    static func observation(_ span: SpanRecord) -> Observation {
        var row = Observation()
        row.traceID = span.id.hex
        row.id = String(row.traceID.suffix(16))
        row.name = span.name
        row.start = span.id.time
        row.end = span.end
        row.type = span.text(.type).flatMap(type) ?? "GENERATION"
        row.level = span.text(.level).flatMap(level) ?? (span.hasFailed ? "ERROR" : "DEFAULT")
        row.statusMessage = span.text(.statusMessage) ?? span.failure.flatMap { $0.isEmpty ? nil : $0 }
        row.traceName = span.text(.traceName) ?? span.name
        row.user = span.text(.user)
        row.session = span.text(.session)
        row.version = GatewayVersion.current
        row.tags = distinct(span.texts(.tags).map { String(decoding: span.bytes[$0], as: UTF8.self) })
        row.model = span.text(.model) ?? span.text(.responseModel) ?? span.text(.requestModel)
        row.modelParameters = span.text(.modelParameters).flatMap(EmbeddedJSON.object)
        row.usage = span.text(.usageDetails).flatMap(Usage.details)
        row.firstToken = span.text(.firstToken).flatMap(TimeText.milliseconds)
        row.input = span.text(.input)
        row.output = span.text(.output)
        row.metadata = ObservationMetadata.json(of: span)
        return row
    }
}

extension OTLPSpan {
    /// An attempt, as an export has it.
    fileprivate init(_ attempt: SpanAttempt, of id: InsertionID) {
        (traceID, spanID, parentID) = (id.hex, attempt.spanID(of: id), String(id.hex.suffix(16)))
        name = attempt.name
        (start, end) = (attempt.began.milliseconds * 1_000_000, attempt.ended.milliseconds * 1_000_000)
        attributes = OTLPAttributes(
            attempt.attributes(of: id).map { OTLPAttribute(key: $0.key, value: .string($0.text)) })
        isError = attempt.failure != nil
        let names = [("service.name", "metadata-gateway"), ("service.version", GatewayVersion.current)]
        resource = OTLPAttributes(names.map { OTLPAttribute(key: $0.0, value: .string($0.1)) })
        scope = OTLPScope(name: "metadata-gateway", version: GatewayVersion.current)
    }
}
