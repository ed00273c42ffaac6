internal import Common

extension CompletionSpan {
    /// Everything up to the attributes. Ids and start time come out of the insertion id alone, so that a span that is sent again is the same row in Langfuse.
    func writeOpening(_ writer: inout SpanWriter, _ request: SpanRequest, end: UInt64) {
        let start = insertionID.milliseconds
        let hex = insertionID.hex
        writer.raw(#"{"traceId":""#)
        writer.raw(hex)
        writer.raw(#"","spanId":""#)
        // The low 64 bits are never all zero: the UUID's variant is in them.
        writer.raw(String(hex.suffix(16)))
        writer.raw(#"","name":"#)
        writer.quoted(request.spanName.map { writer.redactor.clean(TextPiece($0).prefix(SpanLimits.value).text) } ?? "litellm_request")
        writer.raw(#","kind":3,"startTimeUnixNano":""#)
        writer.raw(String(start) + "000000")
        writer.raw(#"","endTimeUnixNano":""#)
        writer.raw(String(max(start, end)) + "000000")
        writer.raw(#"","attributes":["#)
    }

    /// Who this belongs to.
    func writeIdentity(_ writer: inout SpanWriter, _ request: SpanRequest) {
        writer.string("langfuse.observation.type", "generation")
        writer.string("langfuse.trace.name", request.traceName ?? "litellm-acompletion")
        let ids = rollout.tags(insertionID: insertionID)
        writer.strings("langfuse.trace.tags", tags(request, before: ids), then: ids)
        writer.string("session.id", rollout.rollout, isClean: true)
        writer.string("user.id", request.user)
        writer.text("langfuse.trace.metadata", [request.metadataText])
        writer.string("gateway.insertion_id", insertionID.description, isClean: true)
        writer.string("gateway.project", project, isClean: true)
        writer.string("gateway.account", account, isClean: true)
        writer.string("gateway.provider", provider)
        writer.string("gateway.model", modelAsked)
        writer.string("gateway.traceparent", traceparent)
        // Once more as metadata, since Langfuse's newer servers keep no attribute that they do not know.
        if isRepeated {
            writer.string("gateway.possibly_paid_twice", "true", isClean: true)
            writer.string("langfuse.observation.metadata.gateway_possibly_paid_twice", "true", isClean: true)
        }
    }

    /// The client's tags, each once. Behind them come the ids.
    private func tags(_ request: SpanRequest, before ids: [String]) -> [String] {
        // A LiteLLM proxy gets the ids as tags too; they shall not stand before themselves.
        var seen = Set(ids.map { Array($0.utf8) })
        return request.tags.filter { seen.insert(Array($0.utf8)).inserted }
    }

    /// The model and its parameters, for Langfuse and as OpenTelemetry's conventions for generative AI have them.
    func writeModels(_ writer: inout SpanWriter, _ request: SpanRequest, _ answer: CollectedAnswer) {
        writer.string("langfuse.observation.model.name", answer.model ?? model ?? modelAsked)
        if let parameters = request.parametersText { writer.text("langfuse.observation.model.parameters", [parameters]) }
        writer.string("gen_ai.operation.name", "chat")
        writer.string("gen_ai.provider.name", provider)
        writer.string("gen_ai.system", provider)
        writer.string("gen_ai.request.model", model ?? modelAsked)
        writer.string("gen_ai.response.model", answer.model)
        writer.string("gen_ai.response.id", answer.id)
        writer.strings("gen_ai.response.finish_reasons", SpanLimits.first(of: answer.finishReasons))
        // Cut it would be no list any longer.
        let reasons = FinishReasons.text(answer.finishReasons).flatMap { $0.utf8.count > SpanLimits.value ? nil : $0 }
        writer.string("langfuse.observation.metadata.gateway_finish_reasons", reasons)
        writer.double("gen_ai.request.temperature", request.numbers["temperature"])
        writer.double("gen_ai.request.top_p", request.numbers["top_p"])
        writer.double("gen_ai.request.top_k", request.numbers["top_k"])
        writer.double("gen_ai.request.frequency_penalty", request.numbers["frequency_penalty"])
        writer.double("gen_ai.request.presence_penalty", request.numbers["presence_penalty"])
        writer.integer("gen_ai.request.max_tokens", (request.numbers["max_completion_tokens"] ?? request.numbers["max_tokens"]).flatMap(Int.init))
        writer.integer("gen_ai.request.seed", request.numbers["seed"].flatMap(Int.init))
        writer.integer("gen_ai.request.choice.count", request.numbers["n"].flatMap(Int.init).flatMap { $0 == 1 ? nil : $0 })
    }

    func writeUsage(_ writer: inout SpanWriter, _ usage: TokenUsage?) {
        guard let usage else { return }
        let details = usage.details.map { "\"\($0.name)\":\($0.count)" }.joined(separator: ",")
        writer.string("langfuse.observation.usage_details", "{\(details)}", isClean: true)
        writer.integer("gen_ai.usage.input_tokens", usage.input)
        writer.integer("gen_ai.usage.output_tokens", usage.output)
        writer.integer("gen_ai.usage.cache_read.input_tokens", usage.cached)
    }
}
