/// An API by which clients ask models for answers, and which is not recorded under a rollout.
enum UnrecordedAPI: String, CaseIterable {
    case responses, messages, completions

    /// Reads the first segment: what stands below it, such as `/messages/count_tokens`, is the same API's.
    /// - Returns: Nil for another rest of a path.
    init?(_ rest: Substring.UTF8View) {
        guard rest.first == UInt8(ascii: "/") else { return nil }
        let segment = rest.dropFirst().prefix { $0 != UInt8(ascii: "/") }
        guard let api = Self.allCases.first(where: { segment.elementsEqual($0.rawValue.utf8) }) else { return nil }
        self = api
    }

    /// The advice to clients on speaking chat completions instead.
    var advice: String {
        switch self {
        case .responses:
            "Set the client to chat completions: in the OpenAI Agents SDK set_default_openai_api(\"chat_completions\"), "
                + "in Inspect -M responses_api=false, in LangChain use_responses_api=False."
        case .messages:
            "Use a client of the OpenAI API with this base URL, and the model's name with its provider, such as "
                + "anthropic/claude-sonnet-4-5."
        case .completions:
            "Set the client to chat completions: in lm-eval --model local-chat-completions --apply_chat_template, in the "
                + "OpenAI SDK client.chat.completions."
        }
    }
}

extension GatewayError {
    /// A path that names a rollout before an API which is not recorded.
    static func unrecorded(_ api: UnrecordedAPI) -> Self {
        .invalidRequest(
            code: "invalid_path",
            "Under a rollout chat completions are recorded today (…/chat/completions), and /\(api.rawValue) is not. "
                + "\(api.advice) Without the rollout's ids in the path, /v1/\(api.rawValue) is passed on and not recorded.",
            param: "chat/completions")
    }
}
