internal import Common
internal import JSON

/// Reads the `filter` parameter: a JSON list of `{"type", "column", "operator", "value", "key"}`.
enum FilterParameter {
    /// The most conditions of one filter, and the most values of one condition. A URL of 16 KiB holds some 400.
    private static let maximumConditions = 50
    private static let maximumValues = 2000

    private static let aliases: [UTF8Text: String] = ["traceTags": "tags", "providedModelName": "model"]

    static func conditions(_ text: String) throws(LangfuseError) -> [Condition] {
        guard let (object, member) = EmbeddedJSON.wrapped(text), let elements = object.elements(member) else {
            throw .invalidRequest("filter must be a JSON list of conditions")
        }
        return try conditions(object, elements)
    }

    static func conditions(_ object: JSONObject, _ elements: [JSONObject.Element]) throws(LangfuseError) -> [Condition]
    {
        guard elements.count <= maximumConditions else {
            throw .invalidRequest("filter has more than \(maximumConditions) conditions")
        }
        var conditions: [Condition] = []
        for element in elements {
            guard element.kind == .object,
                let scanned = try? JSONObject.scan(object.bytes, range: element.value, maximumDepth: .max)
            else {
                throw .invalidRequest("each condition of a filter must be an object")
            }
            conditions.append(try condition(scanned))
        }
        return conditions
    }

    private static func condition(_ object: JSONObject) throws(LangfuseError) -> Condition {
        let name = object.text("column") ?? ""
        guard let column = Condition.Column.named(aliases[name] ?? name) else {
            throw .invalidRequest("Invalid filter column: \(name.prefix(64))")
        }
        let type = object.text("type") ?? ""
        let operation = object.text("operator") ?? ""
        guard let test = try test(type, operation: operation, object: object) else {
            throw .invalidRequest(
                "Invalid filter on `\(column.rawValue)`: type `\(type.prefix(64))` with operator `\(operation.prefix(64))` and this value"
            )
        }
        return Condition(column: column, test: test)
    }

    private static func test(
        _ type: String, operation: String, object: JSONObject
    ) throws(LangfuseError) -> Condition.Test? {
        let value = object.member("value")
        switch type {
        case "stringOptions", "arrayOptions", "categoryOptions":
            guard let values = value.flatMap(object.strings) else { return nil }
            guard values.count <= maximumValues else {
                throw .invalidRequest("a condition of a filter has more than \(maximumValues) values")
            }
            return options(operation, values)
        case "string": return value.flatMap(object.string).flatMap { text(operation, $0) }
        case "stringObject":
            guard let key = object.text("key") else { return nil }
            return value.flatMap(object.string).flatMap { text(operation, $0) }.map { .member(key, $0) }
        case "datetime":
            guard let time = value.flatMap(object.string).flatMap(TimeText.milliseconds) else { return nil }
            return Condition.Comparison.named(operation).map { .compares($0, Double(time)) }
        case "number":
            guard let number = object.number("value").flatMap({ Double($0) }) else { return nil }
            return Condition.Comparison.named(operation).map { .compares($0, number) }
        case "numberObject":
            guard let key = object.text("key"), let number = object.number("value").flatMap({ Double($0) }) else {
                return nil
            }
            return Condition.Comparison.named(operation).map { .member(key, .compares($0, number)) }
        case "boolean":
            guard let wanted = value.flatMap(object.bool) else { return nil }
            return operation == "=" ? .isTrue(wanted) : operation == "<>" ? .isTrue(!wanted) : nil
        case "null": return operation == "is null" ? .isNull(true) : operation == "is not null" ? .isNull(false) : nil
        default: return nil
        }
    }

    private static func options(_ operation: String, _ values: [String]) -> Condition.Test? {
        switch operation {
        case "any of": .anyOf(values)
        case "none of": .noneOf(values)
        case "all of": .allOf(values)
        default: nil
        }
    }

    private static func text(_ operation: String, _ text: String) -> Condition.Test? {
        switch operation {
        case "=": .equals(text)
        case "contains", "matches": .contains(text)
        case "does not contain": .containsNot(text)
        case "starts with": .startsWith(text)
        case "ends with": .endsWith(text)
        default: nil
        }
    }
}
