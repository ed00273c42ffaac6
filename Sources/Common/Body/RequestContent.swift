package import JSON

/// A request's body as its readers take it apart. The first byte decides; the label counts where the first byte says
/// nothing.
package enum RequestContent: Sendable {
    case json(JSONObject)
    case form(FormBody)
    /// Nothing that holds members: no body, a JSON value of another kind, audio.
    case other

    /// - Parameters:
    ///   - contentType: the value of the request's `Content-Type`; nil if there is none.
    ///   - maximumDepth: the depth to which arrays and objects may nest (`MAX_JSON_DEPTH`).
    /// - Throws: 400 for a body that begins like JSON or is labelled a form, and can be read in no way or in two.
    package init(_ bytes: [UInt8], contentType: String?, maximumDepth: Int) throws(GatewayError) {
        switch Self.opening(of: bytes) {
        case .object:
            do throws(JSONScanError) {
                self = .json(try JSONObject.scan(bytes, maximumDepth: maximumDepth))
            } catch {
                throw error.gatewayError
            }
            return
        case .hiddenObject:
            throw .invalidRequest(
                code: "invalid_json",
                "The request body is JSON with a byte order mark or in another encoding than UTF-8. Send it as plain UTF-8."
            )
        case .other: break
        }
        guard !bytes.isEmpty, let contentType, let label = HeaderParameters(contentType.utf8) else {
            if !bytes.isEmpty, let contentType,
                contentType.utf8.map(\.asciiLowercased).starts(with: "multipart/form-data".utf8)
            {
                throw .invalidForm("its Content-Type is malformed; write `multipart/form-data; boundary=…`")
            }
            self = .other
            return
        }
        if label.value.elementsEqual("multipart/form-data".utf8) {
            guard let boundary = label["boundary"], (1...Self.longestBoundary).contains(boundary.count) else {
                throw .invalidForm("its Content-Type names no boundary of 1 to \(Self.longestBoundary) characters")
            }
            self = .form(try FormBody(multipart: bytes, boundary: boundary))
        } else if label.value.elementsEqual("application/x-www-form-urlencoded".utf8) {
            self = .form(try FormBody(urlencoded: bytes))
        } else {
            self = .other
        }
    }

    /// RFC 2046 §5.1.1 allows 70; some clients write a few more.
    private static let longestBoundary = 200

    private enum Opening { case object, hiddenObject, other }

    /// Whether a JSON object begins here: as it should be, or in a form that a lenient reader takes for one all the
    /// same.
    private static func opening(of bytes: [UInt8]) -> Opening {
        var isPlain = true
        for byte in bytes {
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: continue
            case 0x00, 0xEF, 0xBB, 0xBF, 0xFE, 0xFF: isPlain = false
            case UInt8(ascii: "{"): return isPlain ? .object : .hiddenObject
            default: return .other
            }
        }
        return .other
    }
}

extension RequestContent {
    /// The text of a member that may stand in any kind of body. Nil if it is absent or null.
    /// - Throws: 400 if it is there and is not text.
    package func text(_ name: String) throws(GatewayError) -> String? {
        switch self {
        case .other: return nil
        case .form(let form): return try form.text(name)
        case .json(let object):
            guard let member = object.member(name), member.kind != .null else { return nil }
            guard let text = object.string(member) else {
                // `invalid_api_key` is a key that the gateway does not know.
                let code = name == "api_key" ? "malformed_api_key" : "invalid_\(name)"
                throw .invalidRequest(
                    code: code, "The member `\(name)` is not a string. Send it as text, or leave it out.", param: name)
            }
            return text
        }
    }

    /// Whether a member's name differs from `name` in case only: readers that ignore case take it for the same.
    package func hasCaseVariant(of name: String) -> Bool {
        switch self {
        case .other: false
        case .json(let object): object.caseVariant(of: name) != nil
        case .form(let form):
            form.fields.contains {
                !$0.name.elementsEqual(name.utf8) && $0.name.map(\.asciiLowercased).elementsEqual(name.utf8)
            }
        }
    }
}
