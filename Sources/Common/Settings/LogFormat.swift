/// The form of the log's lines.
package enum LogFormat: String, Sendable, CaseIterable {
    /// One JSON object per line.
    case json
    /// Lines for people.
    case text
    /// Lines for people on a terminal, else JSON.
    case auto
}
