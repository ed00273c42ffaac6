internal import Common

extension CompletionSpan {
    /// Writes whose span this is.
    func writeIdentity(
        _ writer: inout SpanWriter, _ request: SpanRequest, _ metadata: [ResolvedMetadata.Entry]
    ) {
        writer.string(.type, "generation", isClean: true)
        writer.string(.traceName, request.traceName ?? "litellm-acompletion")
        let ids = rollout?.tags(insertionID: insertionID) ?? []
        writer.strings(.tags, tags(request, metadata, before: ids), then: ids)
        writer.string(.session, rollout?.rollout, isClean: true)
        writer.string(.user, request.user)
        writer.text(.traceMetadata, [request.metadataText])
        writeOrigins(&writer, metadata)
        writer.string(.insertionID, insertionID.description, isClean: true)
        writer.string(.project, project, isClean: true)
        writer.string(.account, account, isClean: true)
        writer.string(.provider, provider)
        writer.string(.modelAsked, modelAsked)
        writer.string(.traceparent, traceparent)
        writer.string(.contentMetadata, content.word, isClean: true)
        // Once more as metadata, since Langfuse's newer servers keep no attribute that they do not know.
        if isRepeated {
            writer.string(.possiblyPaidTwice, "true", isClean: true)
            writer.string(.possiblyPaidTwiceMetadata, "true", isClean: true)
        }
        if !rules.hash.isEmpty { writer.string(.rulesHashMetadata, rules.hash, isClean: true) }
        if !rules.limits.isEmpty { writer.string(.rateLimitsMetadata, rules.limits.joined(separator: ", ")) }
        if !failedAttempts.isEmpty {
            let attempts = failedAttempts.map { "\($0.model): \($0.failure.word)" }
            writer.string(.failedAttemptsMetadata, attempts.joined(separator: ", "))
        }
    }

    /// The model and its parameters, for Langfuse and as OpenTelemetry's conventions for generative AI have them.
    func writeModels(_ writer: inout SpanWriter, _ request: SpanRequest, _ answer: CollectedResponse) {
        // Each stands in several places, and is gone through for secrets once.
        let provider = provider.map(writer.redactor.clean)
        let requested = (model ?? modelAsked).map(writer.redactor.clean)
        let answered = answer.model.map(writer.redactor.clean)
        writer.string(.model, answered ?? requested, isClean: true)
        if let parameters = request.parametersText { writer.text(.modelParameters, [parameters]) }
        writer.string(.operation, "chat", isClean: true)
        writer.string(.providerName, provider, isClean: true)
        writer.string(.system, provider, isClean: true)
        writer.string(.requestModel, requested, isClean: true)
        writer.string(.responseModel, answered, isClean: true)
        writer.string(.responseID, answer.id)
        writer.strings(.finishReasons, SpanLimits.first(of: answer.finishReasons))
        // Cut it would be no list any longer.
        let reasons = FinishReasons.text(answer.finishReasons).flatMap { $0.utf8.count > SpanLimits.value ? nil : $0 }
        writer.string(.finishReasonsMetadata, reasons)
        writer.double(.temperature, request.numbers["temperature"])
        writer.double(.topP, request.numbers["top_p"])
        writer.double(.topK, request.numbers["top_k"])
        writer.double(.frequencyPenalty, request.numbers["frequency_penalty"])
        writer.double(.presencePenalty, request.numbers["presence_penalty"])
        writer.integer(
            .maxTokens, (request.numbers["max_completion_tokens"] ?? request.numbers["max_tokens"]).flatMap(Int.init))
        writer.integer(.seed, request.numbers["seed"].flatMap(Int.init))
        writer.integer(.choiceCount, request.numbers["n"].flatMap(Int.init).flatMap { $0 == 1 ? nil : $0 })
    }

    /// Writes the further data of the request log.
    /// - Parameter status: the provider's.
    func writeSummary(_ writer: inout SpanWriter, _ status: Int?) {
        guard var summary else { return }
        if summary.status == 0 { summary.status = status ?? 0 }
        writer.text(.request, [ByteSlice(summary.json)])
    }

    func writeUsage(_ writer: inout SpanWriter, _ usage: TokenUsage?) {
        guard let usage else {
            if countsTokens { writer.string(.tokensEstimatedMetadata, "true", isClean: true) }
            return
        }
        let details = usage.details.map { "\"\($0.name)\":\($0.count)" }.joined(separator: ",")
        writer.string(.usageDetails, "{\(details)}", isClean: true)
        writer.integer(.inputTokens, usage.input)
        writer.integer(.outputTokens, usage.output)
        writer.integer(.cachedTokens, usage.cached)
    }

    /// The calls, if there were several. The last one's answer is the completion's.
    /// - Parameters:
    ///   - end: when the completion ended.
    ///   - failure: why it failed; nil if it did not.
    func writeAttempts(_ writer: inout SpanWriter, end: Timestamp, failure: String?) {
        guard !failedAttempts.isEmpty else { return }
        for (index, attempt) in failedAttempts.enumerated() {
            writer.add(
                SpanAttempt(
                    number: index + 1, model: attempt.model, failure: attempt.failure.word, began: attempt.began,
                    ended: attempt.ended))
        }
        guard let lastCall else { return }
        writer.add(
            SpanAttempt(
                number: failedAttempts.count + 1, model: lastCall.model, failure: failure, began: lastCall.began,
                ended: end))
    }
}
