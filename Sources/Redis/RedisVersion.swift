/// The product and version of a Redis server, as `INFO server` tells it.
package struct RedisVersion: Sendable, Equatable, CustomStringConvertible {
    package enum Product: String, Sendable {
        case redis = "Redis"
        case valkey = "Valkey"
    }

    package let product: Product
    /// Such as `[7, 0, 15]`.
    package let numbers: [Int]

    /// Reads the answer to `INFO server`. Valkey tells the version of Redis that it is compatible with too; its own
    /// counts.
    /// - Returns: nil if it names no version.
    package init?(info: String) {
        var versions: [Substring: [Int]] = [:]
        for line in info.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            versions[line[..<colon]] = Self.numbers(line[line.utf8.index(after: colon)...])
        }
        if let numbers = versions["valkey_version"] {
            (product, self.numbers) = (.valkey, numbers)
        } else if let numbers = versions["redis_version"] {
            (product, self.numbers) = (.redis, numbers)
        } else {
            return nil
        }
    }

    /// For a person; nothing but the product, digits and dots, even if the server said more.
    package var description: String { "\(product.rawValue) \(numbers.map(String.init).joined(separator: "."))" }

    private static func numbers(_ text: Substring) -> [Int]? {
        let parts = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }.split(separator: ".").map { Int($0) }
        return parts.isEmpty || parts.contains(nil) ? nil : parts.prefix(4).compactMap(\.self)
    }
}
