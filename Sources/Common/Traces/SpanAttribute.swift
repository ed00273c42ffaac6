/// An attribute of a completion's span. Its number is the tag in a ``SpanRecord``: a number is never given to another
/// attribute.
package enum SpanAttribute: UInt8, CaseIterable, Sendable {
    /// The kind of the value. It is written as bytes in each case: numbers as the decimal text that OTLP gets.
    package enum Kind: Sendable {
        case text, texts, integer, double
    }

    case type = 16
    case traceName, tags, session, user, traceMetadata
    case insertionID, project, account, provider, modelAsked, traceparent, possiblyPaidTwice, possiblyPaidTwiceMetadata
    case model, modelParameters
    case operation, providerName, system, requestModel, responseModel, responseID, finishReasons, finishReasonsMetadata
    case temperature, topP, topK, frequencyPenalty, presencePenalty, maxTokens, seed, choiceCount
    case usageDetails, inputTokens, outputTokens, cachedTokens
    case responseMetadata, firstToken, status
    case input, output, level, statusMessage, errorType
    case metadataOrigins, tokensEstimatedMetadata, failedAttemptsMetadata
    case rulesHashMetadata, rateLimitsMetadata
    case contentMetadata
    case request

    /// The attribute's name in OTLP.
    package var key: String {
        switch self {
        case .type: "langfuse.observation.type"
        case .traceName: "langfuse.trace.name"
        case .tags: "langfuse.trace.tags"
        case .session: "session.id"
        case .user: "user.id"
        case .traceMetadata: "langfuse.trace.metadata"
        case .insertionID: "gateway.insertion_id"
        case .project: "gateway.project"
        case .account: "gateway.account"
        case .provider: "gateway.provider"
        case .modelAsked: "gateway.model"
        case .traceparent: "gateway.traceparent"
        case .possiblyPaidTwice: "gateway.possibly_paid_twice"
        case .possiblyPaidTwiceMetadata: "langfuse.observation.metadata.gateway_possibly_paid_twice"
        case .model: "langfuse.observation.model.name"
        case .modelParameters: "langfuse.observation.model.parameters"
        case .operation: "gen_ai.operation.name"
        case .providerName: "gen_ai.provider.name"
        case .system: "gen_ai.system"
        case .requestModel: "gen_ai.request.model"
        case .responseModel: "gen_ai.response.model"
        case .responseID: "gen_ai.response.id"
        case .finishReasons: "gen_ai.response.finish_reasons"
        case .finishReasonsMetadata: "langfuse.observation.metadata.gateway_finish_reasons"
        case .temperature: "gen_ai.request.temperature"
        case .topP: "gen_ai.request.top_p"
        case .topK: "gen_ai.request.top_k"
        case .frequencyPenalty: "gen_ai.request.frequency_penalty"
        case .presencePenalty: "gen_ai.request.presence_penalty"
        case .maxTokens: "gen_ai.request.max_tokens"
        case .seed: "gen_ai.request.seed"
        case .choiceCount: "gen_ai.request.choice.count"
        case .usageDetails: "langfuse.observation.usage_details"
        case .inputTokens: "gen_ai.usage.input_tokens"
        case .outputTokens: "gen_ai.usage.output_tokens"
        case .cachedTokens: "gen_ai.usage.cache_read.input_tokens"
        case .responseMetadata: "langfuse.observation.metadata.response"
        case .firstToken: "langfuse.observation.completion_start_time"
        case .status: "http.response.status_code"
        case .input: "langfuse.observation.input"
        case .output: "langfuse.observation.output"
        case .level: "langfuse.observation.level"
        case .statusMessage: "langfuse.observation.status_message"
        case .errorType: "error.type"
        case .metadataOrigins: "langfuse.observation.metadata.gateway_metadata_origins"
        case .failedAttemptsMetadata: "langfuse.observation.metadata.gateway_failed_attempts"
        case .rulesHashMetadata: "langfuse.observation.metadata.gateway_rules_hash"
        case .rateLimitsMetadata: "langfuse.observation.metadata.gateway_rate_limits"
        case .tokensEstimatedMetadata: "langfuse.observation.metadata.gateway_tokens_estimated"
        case .contentMetadata: "langfuse.observation.metadata.gateway_content"
        case .request: "gateway.request"
        }
    }

    package var kind: Kind {
        switch self {
        case .tags, .finishReasons: .texts
        case .maxTokens, .seed, .choiceCount, .inputTokens, .outputTokens, .cachedTokens, .status: .integer
        case .temperature, .topP, .topK, .frequencyPenalty, .presencePenalty: .double
        default: .text
        }
    }
}
