internal import Common

/// The parts of a chat completion's request that the mock reads.
struct MockRequest: Sendable, Equatable {
    /// The model's name as the client wrote it.
    let model: String
    let options: MockOptions
    let isStream: Bool
    /// `stream_options.include_usage`.
    let includesUsage: Bool
    /// The text of the last message whose role is `user`; empty when there is none.
    let lastUserText: String
    /// Words in all messages.
    let promptWords: Int

    /// - Throws: 400 for a body that is not such a request, 404 for a model that the mock does not have.
    init(parsing body: [UInt8]) throws(GatewayError) {
        guard let form = try? MockForm(body) else {
            throw .invalidRequest(
                code: "invalid_request",
                "The mock cannot read the request: `model` must be a string and `messages` a list of objects with `role` and `content`."
            )
        }
        options = try MockOptions(model: form.model)
        model = form.model
        isStream = form.isStream
        includesUsage = form.includesUsage
        lastUserText = form.messages.last { $0.role == "user" }?.text ?? ""
        promptWords = form.messages.reduce(0) { $0 + $1.text.wordCount }
    }
}

extension String {
    /// The runs of text between whitespace: the mock's measure of tokens.
    var wordCount: Int {
        var count = 0
        var isInWord = false
        for byte in utf8 {
            let isSpace = byte == 0x20 || (0x09...0x0D).contains(byte)
            if !isSpace && !isInWord { count += 1 }
            isInWord = !isSpace
        }
        return count
    }
}
