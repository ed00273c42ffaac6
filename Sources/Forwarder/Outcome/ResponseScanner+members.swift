internal import Common
internal import JSON

extension ResponseScanner {
    /// A member by what it says of the answer.
    enum Member: Sendable {
        case error, errors, kind, text, choices, index, finishReason, message, other

        /// Whether its value is read.
        var isKept: Bool {
            switch self {
            case .error, .errors, .kind, .text, .index, .finishReason: true
            case .choices, .message, .other: false
            }
        }

        /// - Parameter name: between the quotes, as it was written.
        init(_ name: [UInt8], in scope: Scope) {
            let plain =
                name.contains(UInt8(ascii: "\\")) ? JSONText.unescaped(name[...]).map { Array($0.utf8) } ?? name : name
            self = Self.known(plain, in: scope)
        }

        private static func known(_ name: [UInt8], in scope: Scope) -> Member {
            if name.isText("error") { return .error }
            switch scope {
            case .top:
                if name.isText("choices") { return .choices }
                if name.isText("object") || name.isText("type") { return .kind }
                if name.isText("message") || name.isText("detail") { return .text }
                return name.isText("errors") ? .errors : .other
            case .choice:
                if name.isText("delta") || name.isText("message") { return .message }
                if name.isText("finish_reason") { return .finishReason }
                return name.isText("index") ? .index : .other
            case .nested: return name.isText("errors") ? .errors : .other
            case .choices, .message: return .other
            }
        }
    }

    /// Goes into an object or array.
    /// - Returns: nil if it holds the model's own words, in which nothing is an error of the call.
    mutating func enter(_ outer: Scope, _ member: Member, isObject: Bool) -> Scope? {
        switch outer {
        case .top:
            guard member == .choices else { return .nested }
            guard !isObject else { return nil }
            hasChoices = true
            return .choices
        case .choices:
            guard isObject, choices.count < SpanLimits.pieces else { return nil }
            choices.append(Choice())
            return .choice
        case .choice:
            guard member == .message, isObject else { return nil }
            choices[choices.count - 1].hasMessage = true
            return .message
        case .message: return nil
        case .nested: return .nested
        }
    }

    /// Notes the value of a member.
    /// - Parameter value: as JSON; cut, if it is very long.
    mutating func note(_ member: Member, _ value: [UInt8], in scope: Scope) {
        switch member {
        case .error, .errors:
            guard Self.isTrue(value) else { return }
            if scope == .nested || member == .errors {
                nestedError = nestedError ?? value
            } else {
                error = error ?? value
            }
        case .kind: if value.elementsEqual(#""error""#.utf8) { isErrorTyped = true }
        case .text: message = message ?? value
        case .index:
            if let last = choices.indices.last { choices[last].index = Int(String(decoding: value, as: UTF8.self)) }
        case .finishReason:
            guard let last = choices.indices.last, value.first == UInt8(ascii: "\""), value.count > 2 else { return }
            choices[last].finishReason = String(
                decoding: value[1..<value.count - 1].prefix(SpanLimits.value), as: UTF8.self)
        case .choices, .message, .other: return
        }
    }

    /// Whether a reader that asks `if error` is told that there is one: SDKs ask so, and providers send `null`, `""`
    /// and `{}` for none.
    private static func isTrue(_ value: [UInt8]) -> Bool {
        guard let first = value.first else { return false }
        switch first {
        case UInt8(ascii: "\""): return value.count > 2
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return value.dropFirst().first { $0 > UInt8(ascii: " ") }.map { $0 != first + 2 } ?? false
        case UInt8(ascii: "n"), UInt8(ascii: "f"), UInt8(ascii: "N"): return false
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return value.prefix { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }.contains {
                (0x31...0x39).contains($0)
            }
        default: return true
        }
    }
}
