internal import Common
internal import FoundationEssentials

/// What the mock reads of a chat completion's request.
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

    /// - Throws: 400 for a body that is no such request, 404 for a model that the mock has not.
    init(parsing body: [UInt8]) throws(GatewayError) {
        let form: Form
        do {
            form = try JSONDecoder().decode(Form.self, from: Data(body))
        } catch {
            throw .invalidRequest(
                code: "invalid_request",
                "The mock cannot read the request: `model` must be a string and `messages` a list of objects with `role` and `content`.")
        }
        options = try MockOptions(model: form.model)
        model = form.model
        isStream = form.stream ?? false
        includesUsage = form.streamOptions?.includeUsage ?? false
        let messages = form.messages ?? []
        lastUserText = messages.last { $0.role == "user" }?.content?.text ?? ""
        promptWords = messages.reduce(0) { $0 + ($1.content?.text.wordCount ?? 0) }
    }
}

extension MockRequest {
    private struct Form: Decodable {
        let model: String
        let messages: [Message]?
        let stream: Bool?
        let streamOptions: StreamOptions?

        enum CodingKeys: String, CodingKey {
            case model, messages, stream
            case streamOptions = "stream_options"
        }
    }

    private struct StreamOptions: Decodable {
        let includeUsage: Bool?

        enum CodingKeys: String, CodingKey {
            case includeUsage = "include_usage"
        }
    }

    private struct Message: Decodable {
        let role: String
        let content: Content?
    }

    private struct Part: Decodable {
        let text: String?
    }

    /// A message's content: a string, or parts of which those with a `text` count.
    private struct Content: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self.text = text
            } else {
                self.text = try container.decode([Part].self).compactMap(\.text).joined(separator: "\n")
            }
        }
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
