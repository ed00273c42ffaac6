internal import Common

/// The parameters behind the `?` of a URL, as forms write them: a plus is a space.
struct QueryParameters {
    private var values: [UTF8Text: [String]] = [:]

    /// - Parameter query: without the `?`.
    init(_ query: String?) throws(LangfuseError) {
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count > 1 ? parts[1] : "") else {
                throw .invalidRequest("The query string is not percent-encoded UTF-8: `\(pair.prefix(64))`")
            }
            values[name, default: []].append(value)
        }
    }

    /// The first value of that name. Langfuse takes an empty one for none, but for `parentObservationId`.
    subscript(_ name: String) -> String? { values[name]?.first.flatMap { $0.isEmpty ? nil : $0 } }

    /// The first value of that name, also an empty one.
    func raw(_ name: String) -> String? { values[name]?.first }

    /// All values of that name; a lone one is split at its commas.
    func list(_ name: String) -> [String]? {
        guard let all = values[name]?.filter({ !$0.isEmpty }), !all.isEmpty else { return nil }
        return all.count == 1 ? all[0].split(separator: ",").map(String.init) : all
    }

    /// The values of one that is a list with commas, without spaces around them; nil if there is none.
    func values(_ name: String) -> [String]? {
        guard let text = self[name] else { return nil }
        let values = text.utf8.split(separator: UInt8(ascii: ",")).map { String(Substring($0).trimmed) }
            .filter { !$0.isEmpty }
        return values.isEmpty ? nil : values
    }

    /// The names of all that are there.
    var names: Set<UTF8Text> { Set(values.keys) }

    func number(_ name: String) throws(LangfuseError) -> Double? {
        guard let text = self[name] else { return nil }
        guard let number = Double(text), number.isFinite else { throw .invalidParameter(name, "must be a number") }
        return number
    }

    func int(_ name: String, in range: ClosedRange<Int>, default standard: Int) throws(LangfuseError) -> Int {
        guard let text = self[name] else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw .invalidParameter(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The time of that name, in milliseconds since 1970. It may be negative: a score may be older.
    func time(_ name: String) throws(LangfuseError) -> Int64? {
        guard let text = self[name] else { return nil }
        guard let time = TimeText.milliseconds(text) else {
            throw .invalidParameter(name, "must be an ISO 8601 time with an offset, such as 2026-11-22T19:25:37Z")
        }
        return time
    }

    func bool(_ name: String) throws(LangfuseError) -> Bool? {
        switch self[name] {
        case nil: return nil
        case "true", "1": return true
        case "false", "0": return false
        default: throw .invalidParameter(name, "must be true or false")
        }
    }

    private static func decoded(_ text: Substring) -> String? {
        let spaced = String(decoding: text.utf8.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
        return PercentDecoding.bytes(spaced[...].utf8).flatMap { String(validating: $0, as: UTF8.self) }
    }
}

extension Substring {
    /// The text without spaces, as in a list of names.
    var withoutSpaces: String { String(decoding: utf8.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self) }
}
