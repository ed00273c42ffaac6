internal import Common

/// Reads filters out of a URL's query, for the rows of one log.
protocol RowFilterParser {
    associatedtype Filter

    /// The names that can be asked for, to suggest the one that was meant.
    static var names: [String] { get }

    init(now: Timestamp)

    /// Reads one parameter.
    /// - Returns: whether it is a filter at all.
    /// - Throws: a 400 that names the parameter.
    mutating func read(_ parameter: String, _ value: String) throws(GatewayError) -> Bool

    /// Checks the parameters that depend on each other.
    func finished() throws(GatewayError) -> Filter
}

/// Reads filters of requests.
struct FilterParser: RowFilterParser {
    static let names =
        RequestField.Known.allCases.map(\.name) + RequestNumber.allCases.map(\.rawValue) + [
            "from", "to", "metadata.KEY",
        ]

    private var reader: FilterReader
    private(set) var filter = RequestFilter()

    init(now: Timestamp) { reader = FilterReader(now: now) }

    mutating func read(_ parameter: String, _ value: String) throws(GatewayError) -> Bool {
        if try reader.readTime(parameter, value) { return true }
        let (name, operation) = FilterReader.parts(of: parameter)
        let field = Self.field(named: name)
        let number = RequestNumber.named(name)
        guard field != nil || number != nil else { return false }
        try reader.noteFilter(parameter)
        if let number {
            try read(number, operation: operation, value: value, parameter: parameter)
        } else if case .known(.status)? = field {
            try readStatus(operation, value: value, parameter: parameter)
        } else if let field {
            var mayBeEmpty = false
            if case .metadata = field { mayBeEmpty = true }
            let test = try FilterReader.test(
                operation, value: value, parameter: parameter, of: field.name, mayBeEmpty: mayBeEmpty)
            if field == .known(.outcome) {
                try FilterReader.check(test, isOf: RequestRow.Outcome.allCases.map(\.rawValue), parameter)
            }
            filter.conditions.append(.init(field, test))
        }
        return true
    }

    func finished() throws(GatewayError) -> RequestFilter {
        try reader.checkTimes()
        var filter = filter
        (filter.from, filter.to) = (reader.from, reader.to)
        return filter
    }

    /// The path's ids have the names of the path too: `rollout_id` is `rollout`.
    static func field(named name: String) -> RequestField? {
        let pathNames: [RequestField.Known] = [.rollout, .invocation, .experiment, .run, .row]
        if let known = pathNames.first(where: { $0.name + "_id" == name }) { return .known(known) }
        return RequestField(named: name)
    }

    private mutating func read(
        _ number: RequestNumber, operation: String?, value: String, parameter: String
    ) throws(GatewayError) {
        guard let comparison = operation.flatMap({ RequestFilter.Comparison.named($0) }) else {
            throw FilterReader.unknownOperator(parameter, known: RequestFilter.Comparison.allCases.map(\.rawValue))
        }
        // `Double` would read hexadecimal digits and words too.
        let isDecimal = value.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        guard isDecimal, let bound = Double(value), bound.isFinite else {
            throw .invalidQuery(parameter, "must be a number that is not negative; durations are in milliseconds")
        }
        filter.bounds.append(.init(number, comparison, value: bound))
    }

    private mutating func readStatus(
        _ operation: String?, value: String, parameter: String
    ) throws(GatewayError) {
        let known: [FilterReader.Operator] = [.eq, .ne, .anyOf, .noneOf]
        guard let operation = FilterReader.Operator.named(operation ?? FilterReader.Operator.eq.rawValue),
            known.contains(operation)
        else {
            throw FilterReader.unknownOperator(parameter, known: known.map(\.rawValue))
        }
        let isList = operation == .anyOf || operation == .noneOf
        let texts = isList ? try FilterReader.list(value, parameter).map(\.text) : [value]
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
}
