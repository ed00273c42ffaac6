/// The reason why an answer with a status of success is not a success.
struct CompletionFailure: Sendable, Equatable {
    enum Code: String, Sendable {
        /// A stream holds an error.
        case streamError = "stream_error"
        /// A body holds an error.
        case answerError = "answer_error"
        /// A stream ended without a finish reason and without `[DONE]`.
        case streamTruncated = "stream_truncated"
        /// The answer has no bytes.
        case emptyAnswer = "empty_answer"
        /// The answer is none of the Chat Completions API: a page, a text, JSON without choices.
        case notACompletion = "not_a_completion"
    }

    var code: Code
    /// The provider's own words, where it has any. May hold keys.
    var message: String
}
