internal import Common
internal import JSON

/// Members of a request that a LiteLLM proxy would act on. Some send the call, and with it the proxy's or the gateway's
/// keys, elsewhere (CVE-2024-6587). Others make the proxy call again, while the gateway alone owns retries.
///
/// One rule holds for every kind of body, at any depth, and for the query. The client's bytes are not changed: a member
/// that does not pass is refused.
enum ForbiddenMembers {
    /// - Parameter model: the model that the request names.
    /// - Throws: 400 that names the first such member.
    static func check(_ content: RequestContent, query: String?, model: String?) throws(GatewayError) {
        // Several models are several calls; a URL stands for another host.
        if let model, model.utf8.contains(UInt8(ascii: ",")) || isReference(model) {
            throw .invalidRequest(
                code: "forbidden_member",
                "`model` holds a comma or a URL. The LiteLLM proxy behind this gateway would make several calls, or call another host. Name one model.",
                param: "model")
        }
        if let key = try content.text("api_key"), isReference(key) { throw refusal("api_key") }
        switch content {
        case .json(let object): try check(top: object)
        case .form(let form): for field in form.fields { try check(field, of: form) }
        case .other: break
        }
        for item in try QueryItems(query).items where item.name != "api-version" {
            if case .refused = LiteLLMNames.kind(of: item.name) { throw refusal(item.name) }
        }
    }

    private static func check(top object: JSONObject) throws(GatewayError) {
        for member in object.members {
            guard let name = object.name(of: member) else { continue }
            switch LiteLLMNames.kind(of: name) {
            case .refused: throw refusal(name)
            case .content: continue
            case .metadata: try checkMetadata(object, at: member.value, kind: member.kind, path: name)
            case .parameters:
                try visit(
                    object, at: member.value, kind: member.kind, path: name, refuses: LiteLLMNames.isActedOnWithin)
            case .unknown:
                guard isPlain(object, at: member.value, kind: member.kind) else {
                    throw refusal(name, because: unknownReason)
                }
            }
        }
    }

    /// A field's name may lead into an object: `metadata[langfuse_host]`.
    private static func check(_ field: FormBody.Field, of form: FormBody) throws(GatewayError) {
        let steps = field.name.split(whereSeparator: {
            $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") || $0 == UInt8(ascii: ".")
        })
        .map { String(decoding: $0, as: UTF8.self) }
        guard let name = steps.first else { return }
        let path = steps.joined(separator: ".")
        let kind = LiteLLMNames.kind(of: name)
        let isMetadata = if case .metadata = kind { true } else { false }
        for inner in steps.dropFirst()
        where isMetadata ? LiteLLMNames.isActedOnInMetadata(inner) : LiteLLMNames.isActedOnWithin(inner) {
            throw refusal(path)
        }
        switch kind {
        case .refused: throw refusal(path)
        case .content: return
        case .metadata: try checkText(form.decoded(field), path: path, refuses: LiteLLMNames.isActedOnInMetadata)
        case .parameters: try checkText(form.decoded(field), path: path, refuses: LiteLLMNames.isActedOnWithin)
        case .unknown:
            let text = form.decoded(field)
            guard !field.isFile, !isReference(text), !looksLikeObject(text) else {
                throw refusal(path, because: unknownReason)
            }
        }
    }

    /// LiteLLM reads an object out of a text, too.
    private static func checkText(
        _ text: [UInt8], path: String, refuses: (String) -> Bool
    ) throws(GatewayError) {
        guard looksLikeObject(text) else { return }
        let object: JSONObject
        do throws(JSONScanError) {
            // The text's own depth has the default bound of an object in a body.
            object = try JSONObject.scan(text, maximumDepth: 64)
        } catch {
            throw refusal(path, because: "is a text that begins like a JSON object and is none. Send a valid one")
        }
        try visit(object, at: object.braces, kind: .object, path: path, refuses: refuses)
    }

    private static func checkMetadata(
        _ object: JSONObject, at value: Range<Int>, kind: JSONObject.Kind, path: String
    ) throws(GatewayError) {
        guard kind == .string, let text = JSONText.unescaped(object.bytes[value.dropFirst().dropLast()]) else {
            return try visit(object, at: value, kind: kind, path: path, refuses: LiteLLMNames.isActedOnInMetadata)
        }
        try checkText(Array(text.utf8), path: path, refuses: LiteLLMNames.isActedOnInMetadata)
    }

    /// Looks at all names within a value, at any depth.
    private static func visit(
        _ object: JSONObject, at value: Range<Int>, kind: JSONObject.Kind, path: String, refuses: (String) -> Bool
    ) throws(GatewayError) {
        guard kind == .object || kind == .array else { return }
        var walker = JSONWalker(object.bytes, range: value)
        var found: String?
        do throws(JSONScanError) {
            try names(&walker, in: object.bytes) { name in if found == nil, refuses(name) { found = name } }
        } catch {
            throw error.gatewayError
        }
        if let found { throw refusal("\(path).\(found)") }
    }

    private static func names(
        _ walker: inout JSONWalker, in bytes: [UInt8], note: (String) -> Void
    ) throws(JSONScanError) {
        switch try walker.kind() {
        case .object:
            try walker.members { inner, name throws(JSONScanError) in
                if let text = JSONText.unescaped(bytes[name]) { note(text) }
                try names(&inner, in: bytes, note: note)
            }
        case .array: try walker.elements { inner throws(JSONScanError) in try names(&inner, in: bytes, note: note) }
        default: return
        }
    }

    /// Whether a value is a number, a boolean, null, a text that names no place, or a list of those.
    private static func isPlain(_ object: JSONObject, at value: Range<Int>, kind: JSONObject.Kind) -> Bool {
        switch kind {
        case .number, .true, .false, .null: return true
        case .string:
            guard let text = JSONText.unescaped(object.bytes[value.dropFirst().dropLast()]) else { return false }
            return !isReference(text) && !looksLikeObject(Array(text.utf8))
        case .object: return false
        case .array:
            guard let member = object.members.first(where: { $0.value == value }),
                let elements = object.elements(member)
            else { return false }
            return elements.allSatisfy { $0.kind != .array && isPlain(object, at: $0.value, kind: $0.kind) }
        }
    }

    /// Whether a text leads elsewhere: a URL, or a secret of LiteLLM's environment (`os.environ/NAME`, `oidc/…`).
    private static func isReference(_ text: String) -> Bool { isReference(Array(text.utf8)) }

    private static func isReference(_ text: [UInt8]) -> Bool {
        let lower = text.map(\.asciiLowercased)
        return lower.firstRange(of: Array("://".utf8)) != nil || lower.firstRange(of: Array("os.environ/".utf8)) != nil
            || lower.starts(with: "oidc/".utf8)
    }

    private static func looksLikeObject(_ text: [UInt8]) -> Bool {
        text.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
    }

    private static let unknownReason =
        "is unknown to this gateway and holds more than a plain value, a URL or a file. Send a plain value"

    private static func refusal(
        _ name: String, because reason: String = "would be acted on by the LiteLLM proxy behind this gateway"
    ) -> GatewayError {
        // A name is the client's own and may be long.
        let name = name.excerpt
        return .invalidRequest(
            code: "forbidden_member",
            "`\(name)` is not passed on: it \(reason). Leave it out; to call a server of your own, put its URL into the path as encoded_base_url.",
            param: name)
    }
}
