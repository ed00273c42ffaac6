internal import Common

/// Decides from the bytes of an answer with a status of success whether its completion succeeded. Pure: the bytes stay as they are.
///
/// A failure is what a reader of the answer must take for one: an error in the body, in an event or in a choice, a stream that stops in the middle, an answer
/// that is no completion. The first bytes tell a stream from a body, since the content type may be wrong.
struct CompletionCheck: Sendable {
    private enum Form { case unknown, body, events }

    /// Reasons that say that the choice was not finished. (`error`: OpenRouter, Mistral; `abort`: vLLM, SGLang; `network_error`: Zhipu;
    /// `insufficient_system_resource`: DeepSeek.)
    private static let failures: Set<[UInt8]> = Set(
        ["error", "abort", "aborted", "cancelled", "failed", "network_error", "insufficient_system_resource"].map { Array($0.utf8) })
    /// How the lines of an event begin.
    private static let fields = ["data:", "event:", "id:", "retry:", ":", "data\n", "data\r"].map { Array($0.utf8) }

    private var form = Form.unknown
    /// The first bytes, until they tell the form.
    private var first: [UInt8] = []
    private var events = EventDataReader(after: 0)
    private var scanner = AnswerScanner()
    /// The data of the event, as far as it may be `[DONE]`.
    private var mark: [UInt8] = []
    private var unfinished: Set<Int> = []
    private var finished: Set<Int> = []
    private var failure: CompletionFailure?
    /// What an event without choices says, which is the cause if the stream ends early.
    private var remark: String?
    /// Bytes of white space before the answer: some servers send them while they think.
    private var padding = 0
    /// Bytes of the stream up to the line in which the newest choice was finished.
    private var finishedAt = 0
    /// Bytes of the stream up to `data: [DONE]`, with which it says that it is over; nil if that has not come.
    private(set) var doneAt: Int?

    /// Takes the next bytes of the answer.
    mutating func take(_ piece: [UInt8]) {
        guard form == .unknown else { return pass(piece) }
        let text = first.isEmpty ? piece.drop(while: Self.isSpace) : piece[...]
        padding += piece.count - text.count
        first += text
        form = Self.form(of: first)
        guard form != .unknown else { return }
        events = EventDataReader(after: padding)
        let bytes = first
        first = []
        pass(bytes)
    }

    /// Whether the first bytes of a stream hold the whole answer: each choice that was asked for is finished, or the stream has said that it is over.
    /// - Parameters:
    ///   - count: how many bytes.
    ///   - choices: how many were asked for.
    func isWhole(within count: Int, choices: Int) -> Bool {
        guard failure == nil, form == .events else { return false }
        if let doneAt, doneAt <= count { return true }
        return unfinished.isEmpty && finished.count >= choices && finishedAt <= count
    }

    /// Ends the answer.
    /// - Returns: why it is no success; nil if it is one.
    mutating func end() -> CompletionFailure? {
        if form == .unknown, !first.isEmpty {
            form = .body
            pass(first)
        }
        switch form {
        case .unknown: return CompletionFailure(code: .emptyAnswer, message: "The provider's answer is empty.")
        case .body: return failureOfBody()
        case .events: return failureOfEvents()
        }
    }

    private mutating func pass(_ piece: [UInt8]) {
        guard form == .events else { return scanner.take(piece, 0..<piece.count) }
        var events = self.events
        events.take(piece) { take($0, of: piece) }
        self.events = events
    }

    private static func form(of bytes: [UInt8]) -> Form {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let start = bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...]
        guard !mark.starts(with: start) else { return .unknown }
        if fields.contains(where: { start.starts(with: $0) }) { return .events }
        return fields.contains { $0.starts(with: start) } ? .unknown : .body
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\t")
    }
}

extension CompletionCheck {
    private mutating func take(_ part: EventDataReader.Part, of piece: [UInt8]) {
        guard doneAt == nil else { return }
        switch part {
        case .data(let range):
            scanner.take(piece, range)
            if mark.count < 8 { mark += piece[range].prefix(8) }
        case .nextLine:
            scanner.take([UInt8(ascii: "\n")], 0..<1)
            mark.append(UInt8(ascii: "\n"))
        case .end(let name, let place): endEvent(name, at: place)
        }
    }

    private mutating func endEvent(_ name: [UInt8], at place: Int) {
        scanner.end()
        while let last = mark.last, last <= UInt8(ascii: " ") { mark.removeLast() }
        if mark.elementsEqual("[DONE]".utf8) { doneAt = place }
        let isError = name.elementsEqual("error".utf8)
        if failure == nil, isError || scanner.isFailure {
            failure = CompletionFailure(code: .streamError, message: scanner.errorText ?? "The provider ended the stream with an error event.")
        }
        if !scanner.hasChoices, remark == nil { remark = scanner.errorText }
        for (position, choice) in scanner.choices.enumerated() { note(choice, at: choice.index ?? position, place) }
        scanner.reset()
        mark.removeAll(keepingCapacity: true)
    }

    private mutating func note(_ choice: AnswerScanner.Choice, at index: Int, _ place: Int) {
        guard !choice.finishReason.isEmpty else {
            if !finished.contains(index), unfinished.count < SpanLimits.pieces { unfinished.insert(index) }
            return
        }
        unfinished.remove(index)
        if finished.count < SpanLimits.pieces, finished.insert(index).inserted { finishedAt = place }
        noteReason(of: choice, code: .streamError)
    }

    private mutating func noteReason(of choice: AnswerScanner.Choice, code: CompletionFailure.Code) {
        guard failure == nil, Self.failures.contains(choice.finishReason.utf8.map(\.asciiLowercased)) else { return }
        failure = CompletionFailure(code: code, message: "The provider ended the answer with the finish reason `\(choice.finishReason)`.")
    }

    private mutating func failureOfEvents() -> CompletionFailure? {
        var events = self.events
        events.end { take($0, of: []) }
        if let failure { return failure }
        guard !unfinished.isEmpty || !finished.isEmpty else {
            return CompletionFailure(
                code: doneAt != nil ? .notACompletion : .streamTruncated,
                message: remark ?? "The provider's stream ended and held no part of a completion.")
        }
        guard doneAt != nil || unfinished.isEmpty else {
            return CompletionFailure(
                code: .streamTruncated, message: remark ?? "The provider's stream ended without a finish reason and without [DONE].")
        }
        return nil
    }

    private mutating func failureOfBody() -> CompletionFailure? {
        scanner.end()
        if scanner.isFailure {
            return CompletionFailure(code: .answerError, message: scanner.errorText ?? "The provider answered with an error of no words.")
        }
        guard scanner.hasBegun else { return CompletionFailure(code: .emptyAnswer, message: "The provider's answer is empty.") }
        guard scanner.isObject, scanner.isClosed, !scanner.hasMore else {
            return CompletionFailure(code: .notACompletion, message: "The provider's answer is not a JSON object.")
        }
        for choice in scanner.choices { noteReason(of: choice, code: .answerError) }
        if let failure { return failure }
        guard scanner.choices.contains(where: \.hasMessage) else {
            return CompletionFailure(
                code: .notACompletion, message: scanner.errorText ?? "The provider's answer holds no choice with a message.")
        }
        return nil
    }
}

extension AnswerScanner {
    /// Whether the text says that the call failed.
    fileprivate var isFailure: Bool { error != nil || isErrorTyped && choices.isEmpty || nestedError != nil && choices.isEmpty }

    /// What it says of that. The error's own text comes first, then the text's message: some servers write `"error":true` beside it.
    fileprivate var errorText: String? {
        for value in [error, nestedError, message] {
            if let value, let text = ProviderError.text(of: TextPiece(value)), !text.isEmpty { return text }
        }
        return (error ?? nestedError).map { TextPiece($0).prefix(SpanLimits.message).text }
    }
}
