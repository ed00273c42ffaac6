internal import Common

/// What the gateway needs to know of a request's body. The bytes themselves stay as they are.
struct CompletionBody: Sendable, Equatable {
    var model: String?
    var isStream: Bool

    /// Reads a chat completion's body, and refuses one that gateway and provider could read differently.
    /// - Parameter maximumDepth: how deep arrays and objects may nest (`MAX_JSON_DEPTH`).
    init(chat bytes: [UInt8], maximumDepth: Int) throws(GatewayError) {
        let object: JSONObject
        do { object = try JSONObject.scan(bytes, maximumDepth: maximumDepth) } catch { throw error.gatewayError }
        if object.caseVariant(of: "model") != nil {
            throw .invalidRequest(
                code: "ambiguous_member",
                #"The body has a member that differs from "model" only in case. Readers that ignore case would take it for the model."#,
                param: "model")
        }
        guard let member = object.member("model") else {
            throw .invalidRequest(
                code: "missing_model", #"The body has no member "model". Add one, such as "model": "openai/gpt-4o-mini"."#, param: "model")
        }
        guard let model = object.string(member), !model.isEmpty else {
            throw .invalidRequest(
                code: "invalid_model", #"The member "model" is not a string with a model's name. Write it like "openai/gpt-4o-mini"."#, param: "model"
            )
        }
        self.model = model
        isStream = try Self.isStream(object)
    }

    /// Reads the body of any other call. One that is not a JSON object is nobody's business but the provider's.
    init(other bytes: [UInt8], contentType: String?, maximumDepth: Int) throws(GatewayError) {
        guard !bytes.isEmpty, let contentType, contentType.lowercased().contains("json") else {
            self.init(model: nil, isStream: false)
            return
        }
        let object: JSONObject
        do { object = try JSONObject.scan(bytes, maximumDepth: maximumDepth) } catch {
            guard case .notAnObject = error.code else { throw error.gatewayError }
            self.init(model: nil, isStream: false)
            return
        }
        self.init(model: object.member("model").flatMap(object.string), isStream: try Self.isStream(object))
    }

    private init(model: String?, isStream: Bool) {
        self.model = model
        self.isStream = isStream
    }

    private static func isStream(_ object: JSONObject) throws(GatewayError) -> Bool {
        guard let member = object.member("stream"), member.kind != .null else { return false }
        guard let value = object.bool(member) else {
            throw .invalidRequest(code: "invalid_stream", #"The member "stream" is neither true nor false."#, param: "stream")
        }
        return value
    }
}
