internal import JSON
package import Logging

/// A log of JSON objects, one per line: `time`, `level`, `message`, and each member of the event's metadata under its
/// own name, so that `insertion_id`, `rollout_id` and `project` can be searched for.
package struct JSONLogHandler: LogHandler {
    package var logLevel = Logger.Level.info
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let now: @Sendable () -> Timestamp
    private let write: @Sendable (_ line: [UInt8]) -> Void

    /// Members of every line, which metadata cannot take the place of.
    private static let own: Set<UTF8Text> = ["time", "level", "logger", "message"]

    /// - Parameter write: gets each line, with its end.
    package init(
        label: String, now: @escaping @Sendable () -> Timestamp = { .now },
        write: @escaping @Sendable (_ line: [UInt8]) -> Void
    ) {
        self.label = label
        self.now = now
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var members = metadata
        if let provided = metadataProvider?.get() { members.merge(provided) { $1 } }
        if let explicit = event.metadata { members.merge(explicit) { $1 } }
        // Written without `JSONWriter`: this runs for each line.
        var text = Array(#"{"time":"#.utf8)
        JSONText.append(now().iso8601, to: &text)
        text += #","level":"#.utf8
        JSONText.append(event.level.rawValue, to: &text)
        text += #","logger":"#.utf8
        JSONText.append(label, to: &text)
        text += #","message":"#.utf8
        JSONText.append("\(event.message)", to: &text)
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            text.append(UInt8(ascii: ","))
            JSONText.append(Self.own.contains(UTF8Text(name)) ? "_" + name : name, to: &text)
            text.append(UInt8(ascii: ":"))
            Self.append(value, to: &text)
        }
        text += "}\n".utf8
        write(text)
    }

    private static func append(_ value: Logger.Metadata.Value, to text: inout [UInt8]) {
        switch value {
        case .string(let string): JSONText.append(string, to: &text)
        case .stringConvertible(let value): JSONText.append(value.description, to: &text)
        case .array(let values):
            text.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                append(value, to: &text)
            }
            text.append(UInt8(ascii: "]"))
        case .dictionary(let members):
            text.append(UInt8(ascii: "{"))
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                JSONText.append(member.key, to: &text)
                text.append(UInt8(ascii: ":"))
                append(member.value, to: &text)
            }
            text.append(UInt8(ascii: "}"))
        }
    }
}
