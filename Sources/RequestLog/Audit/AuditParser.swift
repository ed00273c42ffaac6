internal import Common

/// Reads filters of audit rows.
struct AuditParser: RowFilterParser {
    static let names = AuditField.allCases.map(\.rawValue) + ["from", "to"]

    private var reader: FilterReader
    private var filter = AuditFilter()

    init(now: Timestamp) { reader = FilterReader(now: now) }

    mutating func read(_ parameter: String, _ value: String) throws(GatewayError) -> Bool {
        if try reader.readTime(parameter, value) { return true }
        let (name, operation) = FilterReader.parts(of: parameter)
        guard let field = AuditField.named(name) else { return false }
        try reader.noteFilter(parameter)
        let test = try FilterReader.test(operation, value: value, parameter: parameter, of: name, mayBeEmpty: false)
        if field == .kind { try FilterReader.check(test, isOf: AuditKind.known.map(\.rawValue), parameter) }
        filter.conditions.append(.init(field, test))
        return true
    }

    func finished() throws(GatewayError) -> AuditFilter {
        try reader.checkTimes()
        var filter = filter
        (filter.from, filter.to) = (reader.from, reader.to)
        return filter
    }
}
