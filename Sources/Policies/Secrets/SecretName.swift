internal import Common

/// The meaning of a JSON member's name for its value. Names compare by their ASCII letters and digits without case:
/// `apiKey`, `API-Key` and `api_key` are one.
package enum SecretName: Sendable {
    /// Nothing.
    case plain
    /// Every string and number in the value is a secret.
    case secret
    /// A string of one word is a secret; a number is a count, and a text is one of a model's tokens.
    case token
    /// A string that looks like a key is one.
    case maybe
    /// An object of header fields.
    case headers
    /// A model's tokens with their probabilities: no name in it means a secret.
    case probabilities

    /// - Parameter name: the name's bytes; escapes are resolved.
    package init(_ name: UnsafeBufferPointer<UInt8>) {
        let name = FoldedName(name)
        self = name.isEmpty ? .plain : Self.kind(of: name)
    }

    private static func kind(of name: FoldedName) -> Self {
        switch name.last {
        case UInt8(ascii: "y"):
            guard let rest = name.without("key") else { return .plain }
            return kind(ofKey: rest)
        case UInt8(ascii: "n"):
            if let rest = name.without("token") { return kind(ofToken: rest) }
            if let rest = name.without("authorization") { return rest.isOne(of: authorizations) ? .secret : .plain }
        case UInt8(ascii: "s"):
            if name.without("headers") != nil { return .headers }
            if name.isOne(of: probabilityLists) { return .probabilities }
            if let rest = name.without("keys") { return rest.ends(withOneOf: secretKeys) ? .secret : .plain }
            if let rest = name.without("tokens") { return rest.ends(withOneOf: secretTokenLists) ? .secret : .plain }
            if name.ends(withOneOf: secretLists) || name.isOne(of: exactSecrets) { return .secret }
        case UInt8(ascii: "h"): if name.isOne(of: ["auth", "xauth"]) { return .maybe }
        default:
            if name.ends(withOneOf: secretEndings) || name.isOne(of: exactSecrets) { return .secret }
        }
        return .plain
    }

    private static func kind(ofKey rest: FoldedName) -> Self {
        if rest.ends(withOneOf: secretKeys) { return .secret }
        return rest.ends(withOneOf: plainKeys) ? .plain : .maybe
    }

    private static func kind(ofToken rest: FoldedName) -> Self {
        if rest.isEmpty { return .token }
        if rest.ends(withOneOf: secretTokens) { return .secret }
        return rest.ends(withOneOf: plainTokens) ? .plain : .token
    }

    /// Before `key`.
    private static let secretKeys: [StaticString] = [
        "api", "secret", "access", "private", "signing", "encryption", "master", "subscription", "virtual", "auth",
        "shared", "sharedaccess",
        "service", "ssh", "functions", "langfusepublic", "litellm", "openai", "anthropic", "azure", "gemini", "mistral",
        "groq", "cohere", "deepseek",
        "fireworks", "together", "openrouter", "huggingface", "bearer",
    ]
    /// Before `key`, where the value may well look like one.
    private static let plainKeys: [StaticString] = [
        "cache", "idempotency", "primary", "foreign", "partition", "sort", "public", "dedup", "dedupe", "group",
        "object", "storage", "file", "row",
        "index", "unique", "routing", "event", "column", "field", "node", "item", "parent", "session", "thread",
    ]
    /// Before `token`.
    private static let secretTokens: [StaticString] = [
        "access", "auth", "oauth", "refresh", "id", "bearer", "session", "security", "ad", "hf", "api", "csrf", "xsrf",
        "secret", "identity",
        "github",
        "gitlab", "huggingface", "slack", "bot", "personal", "deploy", "service", "jwt", "replicate", "vault", "admin",
        "app", "client",
    ]
    /// Before `token`: a model's tokens, and places in a list.
    private static let plainTokens: [StaticString] = [
        "max", "min", "eos", "bos", "pad", "stop", "unk", "special", "first", "last", "next", "page", "sep", "mask",
        "cls", "per", "end", "start",
        "begin", "top", "image", "audio", "video", "text", "prompt", "completion", "input", "output", "continuation",
        "sampled", "pagination",
        "prefix",
        "suffix", "middle", "think", "thinking", "reasoning", "cursor", "sync", "target", "new", "current", "previous",
        "prev", "decoder", "context",
    ]
    private static let secretTokenLists: [StaticString] = ["access", "api", "auth", "refresh", "bearer"]
    private static let authorizations: [StaticString] = ["", "proxy", "x", "http", "xforwarded", "mcp"]
    private static let secretLists: [StaticString] = ["passwords", "secrets", "credentials"]
    private static let secretEndings: [StaticString] = [
        "password", "passwd", "passphrase", "secret", "credential", "accesskeyid", "connectionstring", "jwt",
    ]
    private static let exactSecrets: [StaticString] = [
        "cookie", "cookies", "setcookie", "sessioncookie", "authcookie", "bearer",
    ]
    private static let probabilityLists: [StaticString] = ["logprobs", "toplogprobs", "promptlogprobs"]
}

extension SecretName {
    /// Whether a header field of that name holds no secret.
    package static func isHarmlessHeader(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        FoldedName(name).isOne(of: [
            "accept", "acceptencoding", "acceptlanguage", "contenttype", "contentlength", "contentencoding",
            "useragent", "host", "origin", "referer",
            "cachecontrol", "connection", "date", "traceparent", "tracestate", "xrequestid", "anthropicversion",
            "anthropicbeta", "openaibeta",
        ])
    }

    /// Whether a parameter of a URL or of a connection string holds a secret.
    package static func isSecretParameter(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        switch SecretName(name) {
        case .secret, .token: true
        default: FoldedName(name).isOne(of: ["key", "sig", "pwd", "accountkey", "xamzsignature", "xgoogsignature"])
        }
    }

    /// Whether an object whose first member has this name is a JSON schema, if `type` has the right value.
    package static func isSchemaKeyword(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        FoldedName(name).isOne(of: [
            "type", "$ref", "anyof", "oneof", "allof", "enum", "const", "description", "title", "properties", "items",
            "format", "default", "pattern",
            "minlength", "maxlength", "nullable", "examples", "additionalproperties", "required",
        ])
    }

    /// Whether a schema's member of that name holds values of what it describes.
    package static func isSchemaValue(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        FoldedName(name).isOne(of: ["default", "const", "example", "examples"])
    }
}
