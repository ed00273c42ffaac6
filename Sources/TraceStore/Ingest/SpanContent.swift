internal import Common
internal import JSON

/// The input and output of a span, by the conventions of those who make spans: Langfuse's own, OpenInference's, and
/// OpenTelemetry's for generative AI (Langfuse's `extractInputAndOutput`). A convention gives both: the first counts of
/// which the span has either.
struct SpanContent: Sendable {
    var input: String?
    var output: String?

    private static let pairs = [
        ("input.value", "output.value"), ("input", "output"), ("gen_ai.prompt", "gen_ai.completion"),
    ]
    private static let messages = ("gen_ai.input.messages", "gen_ai.output.messages")
    private static let toolCall = ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result")
    private static let instructions = "gen_ai.system_instructions"

    /// The attributes that give them, which are not metadata beside.
    static let names: Set<UTF8Text> = Set(
        (pairs + [messages, toolCall]).flatMap { [UTF8Text($0.0), UTF8Text($0.1)] } + [UTF8Text(instructions)])

    init(_ attributes: OTLPAttributes) {
        input = attributes.text("langfuse.observation.input", "langfuse.trace.input")
        output = attributes.text("langfuse.observation.output", "langfuse.trace.output")
        for pair in Self.pairs where isEmpty { read(pair, attributes) }
        guard isEmpty else { return }
        read(Self.messages, attributes)
        if let given = input, let instructions = attributes.text(Self.instructions) {
            input = Self.messages(given, after: instructions)
        }
        if isEmpty { read(Self.toolCall, attributes) }
    }

    private var isEmpty: Bool { input == nil && output == nil }

    private mutating func read(_ names: (String, String), _ attributes: OTLPAttributes) {
        (input, output) = (attributes.text(names.0), attributes.text(names.1))
    }

    /// Messages with the system's instructions before them, unless one is the system's already.
    private static func messages(_ messages: String, after instructions: String) -> String {
        guard let (object, list) = EmbeddedJSON.wrapped(messages), let elements = object.elements(list) else {
            return messages
        }
        let hasSystemMessage = elements.contains { element in
            element.kind == .object
                && (try? JSONObject.scan(object.bytes, range: element.value, maximumDepth: .max))?.text("role")
                    == "system"
        }
        guard !hasSystemMessage else { return messages }
        var writer = JSONWriter()
        writer.array { writer in
            writer.element { writer in
                writer.object { writer in
                    writer.member("role", "system")
                    writer.member("content", content(of: instructions))
                }
            }
            for element in elements {
                writer.element { $0.raw(String(decoding: object.bytes[element.value], as: UTF8.self)) }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The text of instructions: of a list of parts their contents, line by line.
    private static func content(of instructions: String) -> String {
        guard let (object, member) = EmbeddedJSON.wrapped(instructions) else { return instructions }
        guard let elements = object.elements(member) else { return object.string(member) ?? instructions }
        return elements.map { element in
            let text = String(decoding: object.bytes[element.value], as: UTF8.self)
            switch element.kind {
            case .object: return EmbeddedJSON.scan(text)?.text("content") ?? text
            case .string: return EmbeddedJSON.wrapped(text).flatMap { $0.object.string($0.member) } ?? text
            default: return text
            }
        }.joined(separator: "\n")
    }
}
