internal import Common

/// The filters of one question about the request log, as the query of its URL.
struct LogsQuery: Equatable, Sendable {
    private(set) var text = ""

    mutating func add(_ name: String, _ value: String) {
        if !text.isEmpty { text += "&" }
        text += "\(PercentEncoding.segment(name))=\(PercentEncoding.segment(value))"
    }

    /// Operators that need no value.
    private static let flags = ["[present]", "[absent]"]

    /// Adds `key=value`, `key[present]` or `key[absent]` of metadata.
    /// - Returns: false if it is none.
    mutating func add(metadata condition: String) -> Bool {
        guard !condition.hasPrefix("="), !Self.flags.contains(condition) else { return false }
        return add(condition: "metadata." + condition)
    }

    /// Adds `name=value`, `name[present]` or `name[absent]`.
    /// - Returns: false if it is none.
    mutating func add(condition: String) -> Bool {
        let parts = condition.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(Substring(parts[0]))
        let isFlag = parts.count == 1 && Self.flags.contains { name.utf8.count > $0.utf8.count && name.hasSuffix($0) }
        guard !name.isEmpty, parts.count == 2 || isFlag else { return false }
        add(name, parts.count == 2 ? String(Substring(parts[1])) : "")
        return true
    }
}
