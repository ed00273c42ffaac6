/// The parameters of a URL's query (`application/x-www-form-urlencoded`), decoded, in their order.
package struct QueryItems: Sendable, Equatable {
    /// The most parameters that are looked at.
    package static let most = 1000

    package let items: [(name: String, value: String)]

    /// - Parameter query: without its `?`, percent-encoded.
    /// - Throws: a 400.
    package init(_ query: String?) throws(GatewayError) {
        var items: [(name: String, value: String)] = []
        for item in (query ?? "").utf8.split(separator: UInt8(ascii: "&")) {
            let parts = item.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decode(parts[0], of: "a parameter's name")
            items.append((name, parts.count > 1 ? try Self.decode(parts[1], of: "a parameter's value") : ""))
            guard items.count <= Self.most else {
                throw .invalidRequest(
                    code: "invalid_query", "The query has more than \(Self.most) parameters. Send fewer.")
            }
        }
        self.items = items
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.items.elementsEqual(right.items) { $0.name == $1.name && $0.value == $1.value }
    }

    /// All values of a parameter that may be repeated.
    package func values(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    /// The value of a parameter that may not; of several the last counts, as in eval-protocol's gateway. Nil if it is
    /// absent or empty.
    package func value(_ name: String) -> String? { values(name).last.flatMap { $0.isEmpty ? nil : $0 } }

    /// A whole number within a range.
    package func integer(_ name: String, in range: ClosedRange<Int>) throws(GatewayError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .invalidQuery(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A decimal number that is not negative.
    package func decimal(_ name: String, upTo most: Double) throws(GatewayError) -> Double? {
        guard let text = value(name) else { return nil }
        guard let number = Double(text), number >= 0, number <= most else {
            throw .invalidQuery(name, "must be a number from 0 to \(Int(most))")
        }
        return number
    }

    /// True or false, in the spellings that eval-protocol's gateway takes.
    package func bool(_ name: String) throws(GatewayError) -> Bool? {
        guard let text = value(name) else { return nil }
        switch text.lowercased() {
        case "true", "1", "yes", "on", "t", "y": return true
        case "false", "0", "no", "off", "f", "n": return false
        default: throw .invalidQuery(name, "must be true or false")
        }
    }

    /// A time of ISO 8601, in milliseconds since 1970.
    package func time(_ name: String) throws(GatewayError) -> Int64? {
        guard let text = value(name) else { return nil }
        guard let time = TimeText.milliseconds(text) else {
            throw .invalidQuery(name, "must be a time of ISO 8601, such as 2026-11-22T19:00:00Z")
        }
        return time
    }

    private static func decode(_ text: Substring.UTF8View, of what: String) throws(GatewayError) -> String {
        // In a query a space may stand as `+`.
        let spaced = String(decoding: text.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
        guard let bytes = PercentDecoding.bytes(spaced[...].utf8),
            let decoded = String(validating: bytes, as: UTF8.self)
        else {
            throw .invalidRequest(
                code: "invalid_query",
                "The query is not percent-encoded UTF-8 in \(what). Encode each name and value; a % itself is written %25."
            )
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
