internal import JSON

/// The fields of a form in its bytes: `multipart/form-data` (RFC 7578) or `application/x-www-form-urlencoded`.
///
/// Nothing is copied. A form that two readers could take apart in two ways is refused: gateway and provider must find
/// the same fields.
package struct FormBody: Sendable {
    /// One field with its place.
    package struct Field: Sendable {
        /// The name's bytes, decoded.
        package let name: [UInt8]
        /// The value's bytes as they are written.
        package let value: Range<Int>
        /// All that goes away with the field.
        package let whole: Range<Int>
        /// Whether the value is a file, or written in another encoding than its own bytes.
        package let isFile: Bool
    }

    enum Kind: Sendable, Equatable {
        /// `end` is where the closing delimiter begins.
        case multipart(delimiter: [UInt8], end: Int)
        case urlencoded
    }

    /// The most fields of one form.
    package static let mostFields = 1000

    package let bytes: [UInt8]
    package let fields: [Field]
    let kind: Kind

    /// All fields of that name, compared byte by byte.
    package func fields(_ name: String) -> [Field] { fields.filter { $0.name.elementsEqual(name.utf8) } }

    /// The text of the one field of that name. Nil if there is none.
    /// - Throws: 400 if the field is repeated, a file, or holds no printable text.
    package func text(_ name: String) throws(GatewayError) -> String? {
        let named = fields(name)
        guard let field = named.first else { return nil }
        guard named.count == 1 else {
            throw .invalidRequest(
                code: "duplicate_key",
                "The form has the field `\(name)` \(named.count) times; readers differ in which one counts. Send it once.",
                param: name)
        }
        guard !field.isFile, let text = String(validating: decoded(field), as: UTF8.self),
            text.isEmpty || text.isPrintable
        else {
            throw .invalidRequest(
                code: name == "model" ? "invalid_model" : "invalid_form",
                "The form's field `\(name)` is not plain text in UTF-8. Send it as a field without filename, transfer encoding and control characters.",
                param: name)
        }
        return text
    }

    /// The value of a field as its reader gets it.
    package func decoded(_ field: Field) -> [UInt8] {
        kind == .urlencoded
            ? Self.unescaped(bytes[field.value]) ?? Array(bytes[field.value]) : Array(bytes[field.value])
    }

    /// The bytes for which an urlencoded text stands; nil if a `%` is not followed by two hex digits.
    static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): out.append(0x20)
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst()?.hexValue, let low = rest.popFirst()?.hexValue else { return nil }
                out.append(high << 4 | low)
            default: out.append(byte)
            }
        }
        return out
    }
}

extension GatewayError {
    /// - Parameter reason: completes "The form cannot be read: …".
    static func invalidForm(_ reason: String) -> Self {
        .invalidRequest(code: "invalid_form", "The form cannot be read in one way only: \(reason).")
    }
}
