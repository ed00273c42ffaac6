internal import Common

/// Reads what the filters of all logs have in common: the range of time, and tests of texts, `name=value` or
/// `name[operator]=value`.
struct FilterReader {
    /// The operators for texts.
    enum Operator: String, CaseIterable {
        case eq, ne
        case anyOf = "in"
        case noneOf = "not_in"
        case contains
        case startsWith = "starts_with"
        case present, absent
    }

    let now: Timestamp
    /// The first moment, and the one behind the last.
    private(set) var from, to: Timestamp?
    private var count = 0
    /// The parameters that were read, to find repeated ones.
    private var seen: Set<UTF8Text> = []

    init(now: Timestamp) { self.now = now }

    /// Cuts `name[operator]`. A metadata key may hold brackets itself: the last pair counts.
    static func parts(of parameter: String) -> (name: String, operation: String?) {
        let bytes = Array(parameter.utf8)
        guard bytes.last == UInt8(ascii: "]"), let bracket = bytes.lastIndex(of: UInt8(ascii: "[")) else {
            return (parameter, nil)
        }
        return (
            String(decoding: bytes[..<bracket], as: UTF8.self),
            String(decoding: bytes[(bracket + 1)..<(bytes.count - 1)], as: UTF8.self)
        )
    }

    /// Reads `from` or `to`.
    /// - Returns: whether it is one of them.
    /// - Throws: a 400 that names the parameter.
    mutating func readTime(_ parameter: String, _ value: String) throws(GatewayError) -> Bool {
        guard parameter == "from" || parameter == "to" else { return false }
        try note(parameter, repair: "Give it once")
        guard let time = Self.time(value, now: now) else {
            throw .invalidQuery(
                parameter,
                "must be a time from 1970 on in ISO 8601, such as 2026-11-22T19:00:00Z, or how long ago, such as 15m, 24h "
                    + "or 7d")
        }
        if parameter == "from" { from = time } else { to = time }
        return true
    }

    /// Notes that a filter is read, of which a query has each once, and only so many.
    mutating func noteFilter(_ parameter: String) throws(GatewayError) {
        try note(parameter, repair: "Name several values with `[in]`, separated by commas")
        count += 1
        guard count <= FilterLimits.filters else {
            throw .invalidQuery(parameter, "is one filter too many: a query has at most \(FilterLimits.filters)")
        }
    }

    /// Checks what `from` and `to` say together.
    func checkTimes() throws(GatewayError) {
        if let from, let to, from >= to { throw .invalidQuery("to", "must be later than `from`") }
    }

    private mutating func note(_ parameter: String, repair: String) throws(GatewayError) {
        guard seen.insert(parameter) else { throw .invalidQuery(parameter, "is given twice. \(repair)") }
    }

    /// A moment, or the one that is so long ago.
    static func time(_ text: String, now: Timestamp) -> Timestamp? {
        if let duration = DurationText.milliseconds(text) { return now - .milliseconds(duration) }
        return Timestamp(iso8601: text)
    }

    /// Reads the test of a text.
    /// - Parameters:
    ///   - parameter: with the operator; errors name it.
    ///   - name: of the property.
    ///   - mayBeEmpty: whether a row can have an empty text there.
    static func test(
        _ operation: String?, value: String, parameter: String, of name: String, mayBeEmpty: Bool
    ) throws(GatewayError) -> RequestFilter.Test {
        guard let operation = Operator.named(operation ?? Operator.eq.rawValue) else {
            throw unknownOperator(parameter, known: Operator.allCases.map(\.rawValue))
        }
        let isFlag = operation == .present || operation == .absent
        if value.isEmpty, !isFlag, !mayBeEmpty {
            throw .invalidQuery(parameter, "has no value. Leave it out, or ask for `\(name)[absent]`")
        }
        return switch operation {
        case .eq: .anyOf([UTF8Text(value)])
        case .ne: .noneOf([UTF8Text(value)])
        case .anyOf: .anyOf(try list(value, parameter))
        case .noneOf: .noneOf(try list(value, parameter))
        case .contains: .contains(value)
        case .startsWith: .startsWith(value)
        case .present: try flag(value, parameter) ? .present : .absent
        case .absent: try flag(value, parameter) ? .absent : .present
        }
    }

    /// Refuses values that no row can have: such a test would silently match nothing.
    static func check(
        _ test: RequestFilter.Test, isOf names: [String], _ parameter: String
    ) throws(GatewayError) {
        switch test {
        case .anyOf(let texts), .noneOf(let texts):
            guard texts.allSatisfy({ names.contains($0.text) }) else {
                throw .invalidQuery(parameter, "must be of \(names.map { "`\($0)`" }.joined(separator: ", "))")
            }
        default: break
        }
    }

    static func list(_ value: String, _ parameter: String) throws(GatewayError) -> [UTF8Text] {
        let texts = value.split(separator: ",").map { UTF8Text($0) }
        guard (1...FilterLimits.values).contains(texts.count) else {
            throw .invalidQuery(parameter, "must have 1 to \(FilterLimits.values) values, separated by commas")
        }
        return texts
    }

    private static func flag(_ value: String, _ parameter: String) throws(GatewayError) -> Bool {
        switch value.lowercased() {
        case "", "true", "1": return true
        case "false", "0": return false
        default: throw .invalidQuery(parameter, "must be true or false, or have no value")
        }
    }

    static func unknownOperator(_ parameter: String, known: [String]) -> GatewayError {
        let (name, _) = parts(of: parameter)
        let list = known.map { "`\(name)[\($0)]`" }.joined(separator: ", ")
        return .invalidQuery(parameter, "has no such operator. Known: \(list)")
    }
}
