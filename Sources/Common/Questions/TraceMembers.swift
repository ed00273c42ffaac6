/// The members of a trace in an answer. `id` is always there.
package struct TraceMembers: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let name = Self(rawValue: 1 << 0)
    package static let userID = Self(rawValue: 1 << 1)
    package static let sessionID = Self(rawValue: 1 << 2)
    package static let tags = Self(rawValue: 1 << 3)
    package static let timestamp = Self(rawValue: 1 << 4)
    package static let input = Self(rawValue: 1 << 5)
    package static let output = Self(rawValue: 1 << 6)
    package static let metadata = Self(rawValue: 1 << 7)
    package static let observations = Self(rawValue: 1 << 8)
    package static let model = Self(rawValue: 1 << 9)
    package static let usage = Self(rawValue: 1 << 10)
    /// `finish_reason` and `finish_reasons`.
    package static let finishReasons = Self(rawValue: 1 << 11)
    package static let scores = Self(rawValue: 1 << 12)

    package static let head: Self = [.name, .userID, .sessionID, .tags, .timestamp]
    /// The members that a trace has from the step that called the model.
    package static let generation: Self = [.model, .usage, .finishReasons]
    package static let all: Self = [head, .input, .output, .metadata, .observations, generation, .scores]

    /// Members by the names that they have in an answer, and Langfuse's groups of them, which eval-protocol's gateway
    /// passes on.
    private static let names: [(name: String, members: Self)] = [
        ("id", []), ("name", .name), ("user_id", .userID), ("session_id", .sessionID), ("tags", .tags),
        ("timestamp", .timestamp), ("input", .input),
        ("output", .output), ("metadata", .metadata), ("observations", .observations), ("core", head),
        ("io", [.input, .output, .metadata]),
        ("model", .model), ("usage", .usage), ("finish_reason", .finishReasons), ("finish_reasons", .finishReasons),
        ("scores", .scores), ("metrics", []),
    ]

    /// Reads the parameter `fields`: names, separated by commas.
    init(fields: String) throws(GatewayError) {
        self = []
        for field in fields.split(separator: ",") {
            let name = String(decoding: field.utf8.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self)
            guard let known = Self.names.first(where: { $0.name == name }) else {
                throw .invalidQuery(
                    "fields", "must be a comma-separated list of \(Self.names.map(\.name).joined(separator: ", "))")
            }
            formUnion(known.members)
        }
    }
}
