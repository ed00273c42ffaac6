internal import Common
internal import JSON

/// Token counts in the form of OpenAI's APIs, of chat completions and of responses, as Langfuse counts them: what the
/// details tell of is taken out of input and output, so that each token is counted once.
struct OpenAIUsage {
    /// The names of an API's members.
    private struct Form {
        var input, output, inputDetails, outputDetails: String

        var names: Set<UTF8Text> {
            [
                UTF8Text(input), UTF8Text(output), UTF8Text("total_tokens"), UTF8Text(inputDetails),
                UTF8Text(outputDetails),
            ]
        }
    }

    private static let forms = [
        Form(
            input: "prompt_tokens", output: "completion_tokens", inputDetails: "prompt_tokens_details",
            outputDetails: "completion_tokens_details"),
        Form(
            input: "input_tokens", output: "output_tokens", inputDetails: "input_tokens_details",
            outputDetails: "output_tokens_details"),
    ]

    /// By Langfuse's names.
    private(set) var counts: [(String, Int64)] = []

    /// Nil for counts in another form, which are taken by their own names.
    init?(_ usage: JSONObject) {
        for form in Self.forms {
            let isForm = usage.members.allSatisfy { member in
                usage.name(of: member).map { form.names.contains(UTF8Text($0)) } ?? false
            }
            guard isForm, let input = Self.count(usage, form.input), let output = Self.count(usage, form.output),
                let total = Self.count(usage, "total_tokens"), let read = Self.details(usage, form.inputDetails),
                let written = Self.details(usage, form.outputDetails)
            else { continue }
            counts = [
                ("input", Self.rest(of: input, without: read)), ("output", Self.rest(of: output, without: written)),
                ("total", total),
            ]
            counts += read.map { ("input_\($0.0)", $0.1) } + written.map { ("output_\($0.0)", $0.1) }
            return
        }
        return nil
    }

    private static func rest(of count: Int64, without details: [(String, Int64)]) -> Int64 {
        details.reduce(count) { max($0 - min($1.1, $0), 0) }
    }

    private static func count(_ object: JSONObject, _ name: String) -> Int64? {
        object.member(name).flatMap { count(object, $0) }
    }

    private static func count(_ object: JSONObject, _ member: JSONObject.Member) -> Int64? {
        guard member.kind == .number else { return nil }
        let text = String(decoding: object.bytes[member.value], as: UTF8.self)
        // Python writes a count that was a float as 10.0.
        let count = Int64(text) ?? Double(text).flatMap { Int64(exactly: $0) }
        return count.flatMap { $0 >= 0 ? $0 : nil }
    }

    /// Nil if they are not counts; empty if there are none.
    private static func details(_ usage: JSONObject, _ name: String) -> [(String, Int64)]? {
        guard let member = usage.member(name), member.kind != .null else { return [] }
        guard let details = try? usage.object(member) else { return nil }
        var counts: [(String, Int64)] = []
        for member in details.members where member.kind != .null {
            guard let name = details.name(of: member), let count = count(details, member) else { return nil }
            counts.append((name, count))
        }
        return counts
    }
}
