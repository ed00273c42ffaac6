internal import Common
internal import JSON

/// Tokens and costs of a span.
enum Usage {
    /// A JSON object of whole numbers that are not negative; nil if the span says nothing.
    static func details(_ attributes: OTLPAttributes) -> String? {
        if let given = attributes.text("langfuse.observation.usage_details"), let details = EmbeddedJSON.scan(given) {
            return counts(details)
        }
        return object(AttributeUsage(attributes).counts.map { ($0.name, String($0.count.asInteger)) })
    }

    /// The same of Langfuse's own attribute.
    /// - Parameter given: nil comes of what is not a JSON object.
    static func details(_ given: String) -> String? { EmbeddedJSON.scan(given).flatMap(counts) }

    private static func counts(_ details: JSONObject) -> String? {
        let counts = OpenAIUsage(details)?.counts ?? numbers(details).map { ($0.0, $0.1.asInteger) }
        return object(counts.map { ($0.0, String($0.1)) })
    }

    /// A JSON object of US dollars, and their total.
    static func cost(_ attributes: OTLPAttributes) -> (details: String?, total: Double?) {
        if let given = attributes.text("langfuse.observation.cost_details"), let details = EmbeddedJSON.scan(given) {
            let costs = numbers(details)
            let total = costs.first { $0.0 == "total" }?.1 ?? costs.reduce(0) { $0 + $1.1 }
            return (object(costs.map { ($0, $1.json) }), costs.isEmpty ? nil : total)
        }
        guard let total = number(attributes, "gen_ai.usage.cost", "llm.cost.total") else { return (nil, nil) }
        return (#"{"total":\#(total.json)}"#, total)
    }

    private static func numbers(_ object: JSONObject) -> [(String, Double)] {
        object.members.compactMap { member in
            guard member.kind == .number, let name = object.name(of: member) else { return nil }
            guard let value = Double(String(decoding: object.bytes[member.value], as: UTF8.self)), value >= 0,
                value.isFinite
            else { return nil }
            return (name, value)
        }
    }

    private static func number(_ attributes: OTLPAttributes, _ names: String...) -> Double? {
        for name in names {
            if let value = attributes.text(name).flatMap({ Double($0) }), value >= 0, value.isFinite { return value }
        }
        return nil
    }

    private static func object(_ members: [(String, String)]) -> String? {
        guard !members.isEmpty else { return nil }
        var writer = JSONWriter()
        writer.object { for (name, value) in members { $0.member(name) { $0.raw(value) } } }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension Double {
    /// As a whole number, as large as one can be.
    fileprivate var asInteger: Int64 { Int64(exactly: rounded(.towardZero)) ?? .max }

    fileprivate var json: String {
        var writer = JSONWriter()
        writer.number(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
