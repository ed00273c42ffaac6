internal import Common

/// For which calls the operator's key is lent to whoever may use the gateway: those that ask a model, and those that list models.
///
/// The same key opens much else: a LiteLLM master key makes keys and users, an OpenAI key reads the account's files and batches. None of that belongs to the
/// gateway's clients, so there a client needs a key of its own.
enum LentKey {
    private static let posts: Set<UTF8Text> = [
        "/chat/completions", "/completions", "/embeddings", "/moderations", "/responses", "/messages", "/rerank", "/score", "/classify", "/pooling",
        "/tokenize", "/detokenize", "/audio/speech", "/audio/transcriptions", "/audio/translations", "/images/generations", "/images/edits",
        "/images/variations",
    ]

    /// What a model's name in a path is made of. Servers differ in what they make of `;` and of what is encoded twice; some would go up a folder.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "/._:@-".utf8.contains(byte)
        }
    }

    /// - Throws: 403 for a call that the operator's key is not lent for.
    static func check(_ job: Job) throws(GatewayError) {
        let isLent =
            switch job.method {
            case "POST": posts.contains(job.path)
            case "GET", "HEAD": job.path == "/models" || job.path.hasPrefix("/models/") && job.path.utf8.allSatisfy(isPlain)
            default: false
            }
        guard !isLent else { return }
        throw GatewayError(
            status: 403, type: "permission_error", code: "own_key_needed",
            message: "The operator's key is lent for calls to models and for the list of models only, not for \(job.method) on this path. "
                + "Send a key of your own as `Authorization: Bearer <key>`.",
            param: "authorization", shouldRetry: false)
    }
}
