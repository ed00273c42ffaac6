/// The model that a request names: in the body, in the path (Google's and Azure's clients) or in the query.
package struct RequestModel: Sendable {
    /// Nil if the request names none.
    package let name: String?
    /// The model within the path; nil if it stands elsewhere.
    package let path: PathModel?
    private let isInQuery: Bool

    /// - Throws: 400 if the request names two models, or one that cannot be read.
    package init(content: RequestContent, method: String, path: String, query: String?) throws(GatewayError) {
        guard !content.hasCaseVariant(of: "model") else {
            throw .invalidRequest(
                code: "ambiguous_member",
                #"The body has a member that differs from "model" only in case. Readers that ignore case would take it for the model."#,
                param: "model")
        }
        let written = try content.text("model")
        let inQuery = try Self.model(in: query)
        let inPath = PathModel(method: method, path: path)
        // Any of them will do for the comparison, since all have to agree.
        guard let first = written ?? inQuery ?? inPath?.name else {
            (name, self.path, isInQuery) = (nil, nil, false)
            return
        }
        guard !first.isEmpty else {
            throw .invalidRequest(
                code: "invalid_model", #"The request's `model` is empty. Write it like "openai/gpt-4o-mini"."#,
                param: "model")
        }
        // Google's clients repeat the path's model in the body as `models/…`.
        guard Self.agrees(inQuery, with: first), Self.agrees(inPath?.name, with: first) else {
            throw .invalidRequest(
                code: "ambiguous_model",
                "The request names two models: its body, path and query do not agree. Name one, in the same words everywhere.",
                param: "model")
        }
        // The path's spelling comes first: the others may have the prefix `models/`.
        name = inPath?.name ?? inQuery ?? written
        self.path = inPath
        isInQuery = inQuery != nil
    }

    /// The query with another model's name in it.
    package func query(_ query: String?, renamed model: String) -> String? {
        guard isInQuery, let query else { return query }
        let items = query.split(separator: "&", omittingEmptySubsequences: false).map { item in
            Self.isModel(item) ? "model=" + PercentEncoding.segment(model) : String(item)
        }
        return items.joined(separator: "&")
    }

    private static func model(in query: String?) throws(GatewayError) -> String? {
        guard let query, query.utf8.contains(UInt8(ascii: "m")) || query.utf8.contains(UInt8(ascii: "%")) else {
            return nil
        }
        let named = query.split(separator: "&").filter(isModel)
        guard let item = named.first else { return nil }
        let value = Array(item.utf8).drop { $0 != UInt8(ascii: "=") }.dropFirst()
        guard named.count == 1, let bytes = FormBody.unescaped(value),
            let text = String(validating: bytes, as: UTF8.self), text.isPrintable
        else {
            throw .invalidRequest(
                code: "invalid_model",
                "The query names no model that can be read, or more than one. Send `model` once, percent-encoded as UTF-8.",
                param: "model")
        }
        return text
    }

    private static func isModel(_ item: Substring) -> Bool {
        let name = Array(item.utf8).prefix { $0 != UInt8(ascii: "=") }
        return FormBody.unescaped(name)?.elementsEqual("model".utf8) ?? false
    }

    private static func agrees(_ name: String?, with first: String) -> Bool {
        name.map { bare($0).elementsEqual(bare(first)) } ?? true
    }

    private static func bare(_ name: String) -> Substring.UTF8View {
        let prefix = "models/".utf8
        return name.utf8.starts(with: prefix) ? name.utf8.dropFirst(prefix.count) : name[...].utf8
    }
}
