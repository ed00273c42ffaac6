internal import Common

/// The filters of one question about the request log, as the query of its URL.
struct LogsQuery: Equatable, Sendable {
    private(set) var text = ""

    mutating func add(_ name: String, _ value: String) {
        if !text.isEmpty { text += "&" }
        text += "\(PercentEncoding.segment(name))=\(PercentEncoding.segment(value))"
    }

    /// Adds `key=value` of metadata.
    /// - Returns: false if it is none.
    mutating func add(metadata condition: String) -> Bool {
        guard !condition.hasPrefix("=") else { return false }
        return add(condition: "metadata." + condition)
    }

    /// Adds `name=value`.
    /// - Returns: false if it is none.
    mutating func add(condition: String) -> Bool {
        let parts = condition.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return false }
        add(String(Substring(parts[0])), String(Substring(parts[1])))
        return true
    }
}
