/// The parameters of a URL's query (`application/x-www-form-urlencoded`), decoded, in their order.
package struct QueryItems: Sendable {
    /// The most parameters that are looked at.
    package static let most = 1000

    private let items: [(name: String, value: String)]

    /// - Parameter query: without its `?`, percent-encoded.
    /// - Throws: a 400.
    package init(_ query: String?) throws(GatewayError) {
        var items: [(name: String, value: String)] = []
        for item in (query ?? "").utf8.split(separator: UInt8(ascii: "&")) {
            let parts = item.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decode(parts[0], of: "a parameter's name")
            items.append((name, parts.count > 1 ? try Self.decode(parts[1], of: "a parameter's value") : ""))
            guard items.count <= Self.most else {
                throw .invalidRequest(code: "invalid_query", "The query has more than \(Self.most) parameters. Send fewer.")
            }
        }
        self.items = items
    }

    /// All values of a parameter that may be repeated.
    package func values(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    /// The value of a parameter that may not; of several the last counts, as in the reference gateway. Nil if it is absent or empty.
    package func value(_ name: String) -> String? { values(name).last.flatMap { $0.isEmpty ? nil : $0 } }

    /// A whole number within a range.
    package func integer(_ name: String, in range: ClosedRange<Int>) throws(GatewayError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .invalidQuery(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func decode(_ text: Substring.UTF8View, of what: String) throws(GatewayError) -> String {
        // In a query a space may stand as `+`.
        let spaced = String(Substring(text)).replacing("+", with: " ")
        guard let bytes = PercentDecoding.bytes(spaced[...].utf8), let decoded = String(validating: bytes, as: UTF8.self) else {
            throw .invalidRequest(
                code: "invalid_query", "The query is not percent-encoded UTF-8 in \(what). Encode each name and value; a % itself is written %25.")
        }
        return decoded
    }
}

extension GatewayError {
    /// - Parameter rule: completes "`name` …".
    package static func invalidQuery(_ name: String, _ rule: String) -> Self {
        .invalidRequest(code: "invalid_query", "The query parameter `\(name)` \(rule).", param: name)
    }
}
