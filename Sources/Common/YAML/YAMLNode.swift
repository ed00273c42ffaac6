/// A value of a YAML document, with the place where it stands and the way to it. A value tree: it holds nothing of the
/// parser's.
///
/// The typed reader is in `YAMLNode+scalar.swift` (`string()`, `int(in:)`, `bool()`), `YAMLNode+collection.swift`
/// (`sequence()`, `mapping()`) and `YAMLMapping`. All of it throws `ConfigurationError` with file, line and column.
package struct YAMLNode: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
        /// The text without quotes and escapes. `isPlain` says that it stood without quotes, so that `null` or `true`
        /// may be meant.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// In the file's order; no key is twice.
        case mapping([YAMLMapping.Entry])
    }

    package let content: Content
    /// The file's name as the reader gave it.
    package let file: String
    /// Counted from 1.
    package let line: Int
    /// Counted from 1, in characters.
    package let column: Int
    /// The way to this value from the top, such as `accounts.my-vllm.key` or `keys[2].id`; empty for the top itself.
    package let path: String

    package var location: ConfigurationProblem.Location { .position(file: file, line: line, column: column) }

    /// An error at this value's place.
    package func error(_ message: String) -> ConfigurationError { ConfigurationError(at: location, message) }
}

extension YAMLNode: CustomStringConvertible {
    /// The place and the way, never the value, which may be a secret.
    package var description: String { "\(location): \(label)" }
}
