internal import Common
internal import JSON

/// The parts of a request's body that the gateway needs to know. The bytes themselves stay as they are.
struct CompletionBody: Sendable {
    var model: String?
    var isStream: Bool
    /// The body, if it is a JSON object.
    private(set) var object: JSONObject?

    /// Reads a chat completion's body, and refuses one that gateway and provider could read differently.
    /// - Parameters:
    ///   - query: the request's query. A LiteLLM proxy takes a `model` there for the body's.
    ///   - maximumDepth: how deep arrays and objects may nest (`MAX_JSON_DEPTH`).
    init(chat bytes: [UInt8], query: String? = nil, maximumDepth: Int) throws(GatewayError) {
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
                code: "missing_model",
                #"The body has no member "model". Add one, such as "model": "openai/gpt-4o-mini"."#, param: "model")
        }
        guard let model = object.string(member), !model.isEmpty else {
            throw .invalidRequest(
                code: "invalid_model",
                #"The member "model" is not a string with a model's name. Write it like "openai/gpt-4o-mini"."#,
                param: "model"
            )
        }
        // Refuses a query that names another model.
        _ = try RequestModel(content: .json(object), method: "POST", path: "/chat/completions", query: query)
        self.model = model
        self.object = object
        isStream = try Self.isStream(object)
    }

    /// Reads the body of any other call, and the model that its path and query name. A body that is neither JSON nor a
    /// form is not looked into.
    /// - Parameters:
    ///   - request: the job whose method, path and query may name the model; nil: only the body may.
    ///   - contentType: the value of the request's `Content-Type`.
    init(other bytes: [UInt8], of request: Job? = nil, contentType: String?, maximumDepth: Int) throws(GatewayError) {
        let content = try RequestContent(bytes, contentType: contentType, maximumDepth: maximumDepth)
        if case .other = content, !bytes.isEmpty, contentType?.lowercased().contains("json") ?? false {
            try Self.checkJSON(bytes, maximumDepth)
        }
        let model = try RequestModel(
            content: content, method: request?.method ?? "POST", path: request?.path ?? "/", query: request?.query)
        // A look-up may mean a model of the default provider's own, such as `meta-llama/…`; the forwarder knows the
        // providers.
        self.init(model: model.path?.isLookUp ?? false ? nil : model.name, isStream: try Self.isStream(content))
        if case .json(let object) = content { self.object = object }
    }

    /// Refuses what is labelled JSON and is none.
    private static func checkJSON(_ bytes: [UInt8], _ maximumDepth: Int) throws(GatewayError) {
        do throws(JSONScanError) {
            _ = try JSONObject.scan(bytes, maximumDepth: maximumDepth)
        } catch {
            guard case .notAnObject = error.code else { throw error.gatewayError }
        }
    }

    private static func isStream(_ content: RequestContent) throws(GatewayError) -> Bool {
        switch content {
        case .json(let object): try isStream(object)
        case .form: ["true", "1"].contains(try content.text("stream")?.lowercased())
        case .other: false
        }
    }

    private init(model: String?, isStream: Bool) {
        self.model = model
        self.isStream = isStream
    }

    private static func isStream(_ object: JSONObject) throws(GatewayError) -> Bool {
        guard let member = object.member("stream"), member.kind != .null else { return false }
        guard let value = object.bool(member) else {
            throw .invalidRequest(
                code: "invalid_stream", #"The member "stream" is neither true nor false."#, param: "stream")
        }
        return value
    }
}
