internal import Common

/// Reads filters out of a URL's query: `name=value` or `name[operator]=value`.
struct FilterParser {
    /// The operators for texts.
    private enum Operator: String, CaseIterable {
        case eq, ne
        case anyOf = "in"
        case noneOf = "not_in"
        case contains
        case startsWith = "starts_with"
        case present, absent
    }

    /// Milliseconds since 1970.
    let now: UInt64
    private(set) var filter = RequestFilter()
    private var count = 0
    /// The parameters that were read, to find repeated ones.
    private var seen: Set<UTF8Text> = []

    init(now: UInt64) { self.now = now }

    /// Reads one parameter.
    /// - Returns: whether it is a filter at all.
    /// - Throws: a 400 that names the parameter.
    mutating func read(_ parameter: String, _ value: String) throws(GatewayError) -> Bool {
        let (name, operation) = Self.parts(of: parameter)
        if name == "from" || name == "to", operation == nil {
            try note(parameter)
            try readTime(name, value)
            return true
        }
        let field = Self.field(named: name)
        let number = RequestNumber.named(name)
        guard field != nil || number != nil else { return false }
        try note(parameter)
        count += 1
        guard count <= FilterLimits.filters else {
            throw .invalidQuery(parameter, "is one filter too many: a query has at most \(FilterLimits.filters)")
        }
        if let number {
            try read(number, operation, value, parameter)
        } else if case .known(.status)? = field {
            try readStatus(operation, value, parameter)
        } else if let field {
            try read(field, operation, value, parameter)
        }
        return true
    }

    /// Checks what several parameters say together.
    func finished() throws(GatewayError) -> RequestFilter {
        if let from = filter.from, let to = filter.to, from >= to {
            throw .invalidQuery("to", "must be later than `from`")
        }
        return filter
    }

    /// Cuts `name[operator]`. A metadata key may hold brackets itself: the last pair counts.
    private static func parts(of parameter: String) -> (name: String, operation: String?) {
        let bytes = Array(parameter.utf8)
        guard bytes.last == UInt8(ascii: "]"), let bracket = bytes.lastIndex(of: UInt8(ascii: "[")) else {
            return (parameter, nil)
        }
        return (
            String(decoding: bytes[..<bracket], as: UTF8.self),
            String(decoding: bytes[(bracket + 1)..<(bytes.count - 1)], as: UTF8.self)
        )
    }

    /// The path's ids have the names of the path too: `rollout_id` is `rollout`.
    static func field(named name: String) -> RequestField? {
        let pathNames: [RequestField.Known] = [.rollout, .invocation, .experiment, .run, .row]
        if let known = pathNames.first(where: { $0.name + "_id" == name }) { return .known(known) }
        return RequestField(named: name)
    }

    private mutating func note(_ parameter: String) throws(GatewayError) {
        guard seen.insert(parameter) else {
            let isTime = parameter == "from" || parameter == "to"
            let repair = isTime ? "Give it once" : "Name several values with `[in]`, separated by commas"
            throw .invalidQuery(parameter, "is given twice. \(repair)")
        }
    }

    private mutating func readTime(_ name: String, _ value: String) throws(GatewayError) {
        guard let time = Self.time(value, now: now) else {
            throw .invalidQuery(
                name,
                "must be a time from 1970 on in ISO 8601, such as 2026-11-22T19:00:00Z, or how long ago, such as 15m, 24h "
                    + "or 7d")
        }
        if name == "from" { filter.from = time } else { filter.to = time }
    }

    /// A moment, or the one that is so long ago.
    static func time(_ text: String, now: UInt64) -> UInt64? {
        if let duration = DurationText.milliseconds(text) { return now - min(now, duration) }
        return TimeText.milliseconds(text).flatMap { UInt64(exactly: $0) }
    }

    private mutating func read(
        _ field: RequestField, _ operation: String?, _ value: String, _ parameter: String
    ) throws(GatewayError) {
        guard let operation = Operator.named(operation ?? Operator.eq.rawValue) else {
            throw Self.unknownOperator(parameter, known: Operator.allCases.map(\.rawValue))
        }
        let isFlag = operation == .present || operation == .absent
        if value.isEmpty, !isFlag, case .known = field {
            throw .invalidQuery(parameter, "has no value. Leave it out, or ask for `\(field.name)[absent]`")
        }
        let test: RequestFilter.Test =
            switch operation {
            case .eq: .anyOf([UTF8Text(value)])
            case .ne: .noneOf([UTF8Text(value)])
            case .anyOf: .anyOf(try Self.list(value, parameter))
            case .noneOf: .noneOf(try Self.list(value, parameter))
            case .contains: .contains(value)
            case .startsWith: .startsWith(value)
            case .present: try Self.flag(value, parameter) ? .present : .absent
            case .absent: try Self.flag(value, parameter) ? .absent : .present
            }
        try checkOutcome(field, test, parameter)
        filter.conditions.append(.init(field, test))
    }

    /// An outcome that does not exist would silently match nothing.
    private func checkOutcome(
        _ field: RequestField, _ test: RequestFilter.Test, _ parameter: String
    ) throws(GatewayError) {
        guard field == .known(.outcome) else { return }
        switch test {
        case .anyOf(let texts), .noneOf(let texts):
            let names = RequestRow.Outcome.allCases.map(\.rawValue)
            guard texts.allSatisfy({ names.contains($0.text) }) else {
                throw .invalidQuery(parameter, "must be of \(names.map { "`\($0)`" }.joined(separator: ", "))")
            }
        default: break
        }
    }

    private mutating func read(
        _ number: RequestNumber, _ operation: String?, _ value: String, _ parameter: String
    ) throws(GatewayError) {
        guard let comparison = operation.flatMap({ RequestFilter.Comparison.named($0) }) else {
            throw Self.unknownOperator(parameter, known: RequestFilter.Comparison.allCases.map(\.rawValue))
        }
        // `Double` would read hexadecimal digits and words too.
        let isDecimal = value.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        guard isDecimal, let bound = Double(value), bound.isFinite else {
            throw .invalidQuery(parameter, "must be a number that is not negative; durations are in milliseconds")
        }
        filter.bounds.append(.init(number, comparison, bound))
    }

    private mutating func readStatus(
        _ operation: String?, _ value: String, _ parameter: String
    ) throws(GatewayError) {
        let known: [Operator] = [.eq, .ne, .anyOf, .noneOf]
        guard let operation = Operator.named(operation ?? Operator.eq.rawValue), known.contains(operation) else {
            throw Self.unknownOperator(parameter, known: known.map(\.rawValue))
        }
        let isList = operation == .anyOf || operation == .noneOf
        let texts = isList ? try Self.list(value, parameter).map(\.text) : [value]
        var ranges: [ClosedRange<Int>] = []
        for text in texts {
            guard let range = Self.statuses(text) else {
                throw .invalidQuery(parameter, "must be a status, such as 404, or a class of them, such as 5xx")
            }
            ranges.append(range)
        }
        filter.statuses.append(.init(ranges, isNegated: operation == .ne || operation == .noneOf))
    }

    /// `404` or `5xx`.
    private static func statuses(_ text: String) -> ClosedRange<Int>? {
        let bytes = Array(text.utf8)
        guard bytes.count == 3, (UInt8(ascii: "1")...UInt8(ascii: "5")).contains(bytes[0]) else { return nil }
        let hundreds = Int(bytes[0] - UInt8(ascii: "0")) * 100
        if text.lowercased().hasSuffix("xx") { return hundreds...(hundreds + 99) }
        guard bytes.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text).map { $0...$0 }
    }

    private static func list(_ value: String, _ parameter: String) throws(GatewayError) -> [UTF8Text] {
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

    private static func unknownOperator(_ parameter: String, known: [String]) -> GatewayError {
        let (name, _) = parts(of: parameter)
        let list = known.map { "`\(name)[\($0)]`" }.joined(separator: ", ")
        return .invalidQuery(parameter, "has no such operator. Known: \(list)")
    }
}
