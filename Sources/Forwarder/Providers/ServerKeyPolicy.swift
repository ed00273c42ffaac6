internal import Common

/// The calls for which the operator's key is lent to the gateway's clients: those that ask a model or list models.
///
/// The same key opens much else. A LiteLLM master key makes keys and users, and an OpenAI key reads the account's files
/// and batches. None of that belongs to the gateway's clients: for such calls a client needs a key of its own.
enum ServerKeyPolicy {
    private static let posts: Set<UTF8Text> = [
        "/chat/completions", "/completions", "/embeddings", "/moderations", "/responses", "/messages", "/rerank",
        "/score", "/classify", "/pooling",
        "/tokenize", "/detokenize", "/audio/speech", "/audio/transcriptions", "/audio/translations",
        "/images/generations", "/images/edits",
        "/images/variations",
    ]

    /// Google's and Azure's own paths to a model: the parts before and behind its name.
    private static let inPath: [UTF8Text: Set<UTF8Text>] = [
        "/v1beta/models/": [
            ":generateContent", ":streamGenerateContent", ":embedContent", ":batchEmbedContents", ":countTokens",
        ],
        "/openai/deployments/": posts,
    ]

    private static func callsModelInPath(_ path: String) -> Bool {
        guard path.utf8.allSatisfy(isPlain), let model = PathModel(method: "POST", path: path) else { return false }
        return inPath[model.opening]?.contains(model.ending) ?? false
    }

    /// Whether a model's name in a path may hold the byte. Servers differ on `;` and double encoding; some go up a
    /// folder.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "/._:@-".utf8.contains(byte)
        }
    }

    /// - Parameters:
    ///   - isDirect: whether the key is the provider's own, so that the model may stand in the path.
    ///   - account: the account whose key goes instead of the one that the client sent; nil: it sent none.
    /// - Throws: 403 for a call for which the operator's key is not lent.
    static func check(
        _ job: Job, isDirect: Bool = false, insteadOfClients account: String? = nil
    ) throws(GatewayError) {
        guard !isLent(job), !(isDirect && job.method == "POST" && callsModelInPath(job.path)) else { return }
        let repair =
            account.map {
                "The account `\($0)` is always called with that key, and the one that you sent is not used there; "
                    + "call the provider by its own name, if the gateway has it."
            } ?? "Send a key of your own \(place(isAuthenticated: job.account != nil))."
        throw GatewayError(
            status: 403, type: "permission_error", code: "own_key_needed",
            message:
                "The operator's key is lent for calls to models and for the list of models only, not for \(job.method) on this path. "
                + repair,
            param: "authorization", shouldRetry: false)
    }

    /// The place in which a client sends a provider's key, for errors.
    /// - Parameter isAuthenticated: whether the client's bearer token is a key of this gateway.
    static func place(isAuthenticated: Bool) -> String {
        isAuthenticated
            ? "in the header `x-api-key` (`Authorization` holds this gateway's)" : "as `Authorization: Bearer <key>`"
    }

    /// Whether the operator's key goes with such a call.
    static func isLent(_ job: Job) -> Bool {
        switch job.method {
        case "POST": posts.contains(job.path)
        case "GET", "HEAD": job.path == "/models" || looksUpModel(job)
        default: false
        }
    }

    /// Whether the path asks for one model, in whose name a slash may be encoded.
    private static func looksUpModel(_ job: Job) -> Bool {
        guard let model = PathModel(method: job.method, path: job.path), model.opening == "/models/" else {
            return false
        }
        return model.name.utf8.allSatisfy { isPlain($0) || " +=~,()".utf8.contains($0) || $0 >= 0x80 }
    }
}
