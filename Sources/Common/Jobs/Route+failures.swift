extension Route.Failure {
    /// The words for what has no status.
    package static let words: [(word: String, failure: Self)] = [
        ("connect_error", .connectError), ("timeout", .timeout), ("ttft_timeout", .firstTokenTimeout),
        ("stream_error", .streamError), ("error_in_200", .errorInSuccess),
    ]

    /// As rules name it.
    package var word: String {
        if case .status(let status) = self { return String(status) }
        return Self.words.first { $0.failure == self }?.word ?? ""
    }

    package init?(word: String) {
        if let known = Self.words.first(where: { $0.word == word }) {
            self = known.failure
            return
        }
        guard word.utf8.count == 3, let status = Int(word), (400...599).contains(status) else { return nil }
        self = .status(status)
    }
}
