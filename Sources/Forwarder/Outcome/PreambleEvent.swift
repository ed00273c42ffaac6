internal import Common
internal import JSON

/// Tells the content of a stream from what stands before it: of chat completions, completions, Anthropic's messages and
/// OpenAI's responses.
enum PreambleEvent {
    /// Types of events that come before any content.
    private static let types: Set<UTF8Text> = [
        "message_start", "ping", "response.created", "response.queued", "response.in_progress",
        "response.output_item.added", "response.content_part.added", "keepalive",
    ]

    /// Whether an event of OpenAI's responses says that the answer has failed.
    static func isFailure(_ event: JSONObject) -> Bool {
        event.member("type").flatMap(event.string).map { $0 == "response.failed" } ?? false
    }

    /// Whether an event holds content. An event of an unknown kind does.
    static func hasContent(_ event: JSONObject) -> Bool {
        if let choices = event.member("choices"), let elements = event.elements(choices) {
            return elements.contains { hasContent(choice: $0, of: event) }
        }
        guard let type = event.member("type").flatMap(event.string) else { return true }
        if types.contains(type) { return false }
        guard type == "content_block_start", let block = try? event.member("content_block").flatMap(event.object) else {
            return true
        }
        return hasContent(block, beside: ["type", "citations", "signature"])
    }

    private static func hasContent(choice: JSONObject.Element, of event: JSONObject) -> Bool {
        guard choice.kind == .object,
            let choice = try? JSONObject.scan(event.bytes, range: choice.value, maximumDepth: .max)
        else { return true }
        if let reason = choice.member("finish_reason"), reason.kind != .null { return true }
        guard let delta = choice.member("delta"), let members = try? choice.object(delta) else {
            return hasContent(choice, beside: ["index", "finish_reason", "logprobs", "content_filter_results"])
        }
        return hasContent(members, beside: ["role"])
    }

    /// Whether an object says anything beside some members.
    private static func hasContent(_ object: JSONObject, beside names: [String]) -> Bool {
        object.members.contains { member in
            if let name = object.name(of: member), names.contains(name) { return false }
            switch member.kind {
            case .null, .false: return false
            case .string: return member.value.count > 2
            // Brackets with nothing between them.
            case .array, .object: return object.bytes[member.value].dropFirst().dropLast().contains { $0 > 0x20 }
            case .number, .true: return true
            }
        }
    }
}
