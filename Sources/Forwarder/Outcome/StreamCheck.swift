internal import Common

/// Decides whether a stream of events is a completion that succeeded.
struct StreamCheck: Sendable {
    private var events: EventDataReader
    private var scanner = ResponseScanner()
    /// The data of the event, while it may be `[DONE]`.
    private var mark: [UInt8] = []
    private var unfinished: Set<Int> = []
    private var finished: Set<Int> = []
    private var failure: CompletionFailure?
    /// The text of an event without choices, which is the cause if the stream ends early.
    private var remark: String?
    /// Bytes of the stream up to the line in which the newest choice was finished.
    private var finishedAt = 0
    /// Bytes of the stream up to `data: [DONE]`, which says that it is over; nil if that has not come.
    private var doneAt: Int?

    /// - Parameter count: bytes of the answer before those that are given to it.
    init(after count: Int) { events = EventDataReader(after: count) }

    /// Whether any part of a completion has come.
    var hasParts: Bool { !unfinished.isEmpty || !finished.isEmpty }

    /// Whether the first bytes hold the whole answer: each choice that was asked for is finished, or the stream has
    /// said that it is over.
    func isWhole(within count: Int, choices: () -> Int) -> Bool {
        guard failure == nil else { return false }
        if let doneAt, doneAt <= count { return true }
        return unfinished.isEmpty && !finished.isEmpty && finishedAt <= count && finished.count >= choices()
    }

    /// Takes the next bytes of the stream.
    mutating func take(_ bytes: [UInt8]) {
        var events = self.events
        events.take(bytes) { take($0, of: bytes) }
        self.events = events
    }

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
            failure = CompletionFailure(
                code: .streamError, message: scanner.errorText ?? "The provider ended the stream with an error event.")
        }
        if !scanner.hasChoices, remark == nil { remark = scanner.errorText }
        for (position, choice) in scanner.choices.enumerated() { note(choice, at: choice.index ?? position, place) }
        scanner.reset()
        mark.removeAll(keepingCapacity: true)
    }

    private mutating func note(_ choice: ResponseScanner.Choice, at index: Int, _ place: Int) {
        guard !choice.finishReason.isEmpty else {
            if !finished.contains(index), unfinished.count < SpanLimits.pieces { unfinished.insert(index) }
            return
        }
        unfinished.remove(index)
        if finished.count < SpanLimits.pieces, finished.insert(index).inserted { finishedAt = place }
        failure = failure ?? choice.failure(.streamError)
    }

    /// Ends the stream.
    /// - Returns: the failure; nil if the completion succeeded.
    mutating func end() -> CompletionFailure? {
        var events = self.events
        events.end { take($0, of: []) }
        if let failure { return failure }
        guard hasParts else {
            return CompletionFailure(
                code: doneAt != nil ? .notACompletion : .streamTruncated,
                message: remark ?? "The provider's stream ended and held no part of a completion.")
        }
        guard doneAt != nil || unfinished.isEmpty else {
            return CompletionFailure(
                code: .streamTruncated,
                message: remark ?? "The provider's stream ended without a finish reason and without [DONE].")
        }
        return nil
    }
}
