internal import Common
internal import RequestLog

/// One filter of the request log as a query writes it: `name=value` or `name[operator]=value`.
package struct FilterTerm: Sendable, Equatable {
    package var name: String
    /// As queries name it; nil: the value is the property's.
    package var operation: String?
    package var value: String

    package init(_ name: String, operation: String? = nil, value: String) {
        self.name = name
        self.operation = operation == "eq" ? nil : operation
        self.value = value
    }

    /// - Parameter parameter: a query's. A metadata key may hold brackets itself: the last pair counts.
    package init(parameter: String, value: String) {
        let bytes = Array(parameter.utf8)
        if bytes.last == UInt8(ascii: "]"), let bracket = bytes.lastIndex(of: UInt8(ascii: "[")) {
            self.init(
                String(decoding: bytes[..<bracket], as: UTF8.self),
                operation: String(decoding: bytes[(bracket + 1)..<(bytes.count - 1)], as: UTF8.self), value: value)
        } else {
            self.init(parameter, value: value)
        }
    }

    /// Reads the fields of a form. A name that no property has is a key of metadata.
    init?(formName: String, operation: String, value: String) {
        guard !formName.isEmpty else { return nil }
        let isKnown = RequestField(named: formName) != nil || Self.properties.contains(formName)
        self.init(isKnown ? formName : RequestField.metadataPrefix + formName, operation: operation, value: value)
        if self.operation == "present" || self.operation == "absent" { self.value = "" }
    }

    /// The query's parameter. A name that ends in a bracket must not be taken for one with an operator.
    package var parameter: String {
        if let operation { return "\(name)[\(operation)]" }
        return name.utf8.last == UInt8(ascii: "]") ? "\(name)[eq]" : name
    }

    var isAboutTime: Bool { (name == "from" || name == "to") && operation == nil }

    /// The metadata key that it is about.
    var metadataKey: String? {
        guard name.hasPrefix(RequestField.metadataPrefix) else { return nil }
        return String(decoding: name.utf8.dropFirst(RequestField.metadataPrefix.utf8.count), as: UTF8.self)
    }

    /// - Parameter encoded: one of a query, percent-encoded, as forms carry the filters that are set.
    init?(encoded: String) {
        guard let items = try? QueryItems(encoded).items, items.count == 1 else { return nil }
        self.init(parameter: items[0].name, value: items[0].value)
    }

    /// The operator as people read it.
    var sign: String {
        Self.operations.first { $0.name == operation ?? "eq" }?.sign ?? operation ?? "="
    }

    /// The properties that a form offers.
    static let ownNames = RequestField.Known.allCases.map(\.name) + RequestNumber.allCases.map(\.rawValue)
    /// All names that a form does not take for a metadata key: some properties have a second one.
    static let properties = ownNames + pathNames

    private static let pathNames = ["rollout_id", "invocation_id", "experiment_id", "run_id", "row_id"]

    /// The operators that a form offers: the query's name, words for it, and a sign.
    static let operations: [(name: String, label: String, sign: String)] = [
        ("eq", "is", "="), ("ne", "is not", "≠"), ("in", "is one of (a,b)", "in"),
        ("not_in", "is none of (a,b)", "not in"),
        ("contains", "contains", "contains"), ("starts_with", "starts with", "starts with"),
        ("present", "is set", "is set"), ("absent", "is not set", "is not set"), ("gte", "is at least", "≥"),
        ("lte", "is at most", "≤"), ("gt", "is more than", ">"), ("lt", "is less than", "<"),
    ]
}
