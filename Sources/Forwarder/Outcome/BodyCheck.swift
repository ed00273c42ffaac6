internal import Common

/// Decides whether the body of an answer, which is not a stream, is a completion that succeeded.
struct BodyCheck: Sendable {
    private var scanner = ResponseScanner()
    private var hasBegun = false

    /// Takes the next bytes of the body.
    mutating func take(_ bytes: [UInt8]) {
        // A byte order mark is not a part of the text.
        let start = !hasBegun && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        hasBegun = true
        scanner.take(bytes, start..<bytes.count)
    }

    /// Whether the body is one JSON object from end to end.
    var isWholeObject: Bool { scanner.isObject && scanner.isClosed && !scanner.hasMore }

    /// Ends the body.
    /// - Returns: the failure; nil if the completion succeeded.
    mutating func end() -> CompletionFailure? {
        scanner.end()
        if scanner.isFailure {
            return CompletionFailure(
                code: .answerError,
                message: scanner.errorText ?? "The provider answered with an error without a message.")
        }
        guard scanner.hasBegun else {
            return CompletionFailure(code: .emptyAnswer, message: "The provider's answer is empty.")
        }
        guard isWholeObject else {
            return CompletionFailure(code: .notACompletion, message: "The provider's answer is not a JSON object.")
        }
        if let failure = scanner.choices.lazy.compactMap({ $0.failure(.answerError) }).first { return failure }
        guard scanner.choices.contains(where: \.hasMessage) else {
            return CompletionFailure(
                code: .notACompletion,
                message: scanner.errorText ?? "The provider's answer holds no choice with a message.")
        }
        return nil
    }
}
