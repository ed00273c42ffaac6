internal import Common

extension ResponseScanner {
    /// Whether the text says that the call failed.
    var isFailure: Bool { error != nil || isErrorTyped && choices.isEmpty || nestedError != nil && !hasChoices }

    /// The failure's text: the error's own, else the message, since some servers write `"error":true` beside a message.
    var errorText: String? {
        for value in [error, nestedError, message] {
            if let value, let text = ProviderError.text(of: ByteSlice(value)), !text.isEmpty { return text }
        }
        return (error ?? nestedError).map { ByteSlice($0).prefix(SpanLimits.message).text }
    }
}

extension ResponseScanner.Choice {
    /// Reasons that say that the choice was not finished. (`error`: OpenRouter, Mistral; `abort`: vLLM, SGLang;
    /// `network_error`: Zhipu; `insufficient_system_resource`: DeepSeek.)
    private static let failures: Set<[UInt8]> = Set(
        ["error", "abort", "aborted", "cancelled", "failed", "network_error", "insufficient_system_resource"].map {
            Array($0.utf8)
        })

    /// The failure that the finish reason tells of, if any.
    func failure(_ code: CompletionFailure.Code) -> CompletionFailure? {
        guard Self.failures.contains(finishReason.utf8.map(\.asciiLowercased)) else { return nil }
        return CompletionFailure(
            code: code, message: "The provider ended the answer with the finish reason `\(finishReason)`.")
    }
}
