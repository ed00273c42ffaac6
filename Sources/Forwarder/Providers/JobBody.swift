internal import Common
internal import JSON

/// A job's body with the edits for its provider. It is scanned at most once. Where nothing changes, the bytes are the
/// client's.
///
/// A body whose first visible byte is `{` is read as JSON under any content type, since a provider might do so too.
struct JobBody {
    let content: RequestContent
    private let bytes: [UInt8]
    private var splice: JSONSplice?
    private var formSplice: FormSplice?

    init(_ bytes: [UInt8], contentType: String? = nil, maximumDepth: Int) throws(GatewayError) {
        self.bytes = bytes
        content = try RequestContent(bytes, contentType: contentType, maximumDepth: maximumDepth)
    }

    init(of job: Job, maximumDepth: Int) throws(GatewayError) {
        try self.init(job.body, contentType: job.headers.first(named: "content-type"), maximumDepth: maximumDepth)
    }

    /// The body as one JSON object; nil if it is something else.
    var object: JSONObject? { if case .json(let object) = content { object } else { nil } }

    var isJSON: Bool { object != nil }

    var isEmpty: Bool { bytes.isEmpty }

    /// The body as it goes upstream.
    var result: [UInt8] { splice?.result() ?? formSplice?.result() ?? bytes }

    /// The key in the body's `api_key`. The gateway puts it into a header.
    func apiKey() throws(GatewayError) -> SecretString? {
        guard let text = try content.text("api_key"), !text.isEmpty else { return nil }
        return SecretString(text)
    }

    /// Gives the body's `model` another name.
    mutating func rename(model: String) throws(GatewayError) {
        guard let written = try content.text("model"), !written.utf8.elementsEqual(model.utf8) else { return }
        try set("model", to: model)
    }

    /// Sets a member to the text, or adds it behind the others.
    /// - Returns: False if the body is of a kind that holds no members.
    @discardableResult
    mutating func set(_ name: String, to text: String) throws(GatewayError) -> Bool {
        switch content {
        case .json: edit { $0.set(name, to: JSONText.quoted(text)) }
        case .form: try editForm { form throws(GatewayError) in try form.set(name, to: text) }
        case .other: return false
        }
        return true
    }

    /// Takes `api_key` out.
    mutating func removeAPIKey() {
        if let object, object.member("api_key") != nil { edit { $0.remove("api_key") } }
        if case .form(let form) = content, !form.fields("api_key").isEmpty { editForm { $0.remove("api_key") } }
    }

    /// Changes the body's members; nothing happens to a body that is not a JSON object.
    mutating func edit<Failure: Error>(_ change: (inout JSONSplice) throws(Failure) -> Void) throws(Failure) {
        guard let object else { return }
        var splice = self.splice ?? JSONSplice(object)
        try change(&splice)
        self.splice = splice
    }

    private mutating func editForm<Failure: Error>(_ change: (inout FormSplice) throws(Failure) -> Void) throws(Failure)
    {
        guard case .form(let form) = content else { return }
        var splice = formSplice ?? FormSplice(form)
        try change(&splice)
        formSplice = splice
    }
}
