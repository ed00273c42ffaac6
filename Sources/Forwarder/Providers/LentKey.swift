internal import Common

/// For which calls the operator's key is lent to whoever may use the gateway: those that ask a model, and those that list models.
///
/// The same key opens much else: a LiteLLM master key makes keys and users, an OpenAI key reads the account's files and batches. None of that belongs to the
/// gateway's clients, so there a client needs a key of its own.
enum LentKey {
    private static let posts: Set<String> = [
        "/chat/completions", "/completions", "/embeddings", "/moderations", "/responses", "/messages", "/rerank", "/score", "/classify", "/pooling",
        "/tokenize", "/detokenize", "/audio/speech", "/audio/transcriptions", "/audio/translations", "/images/generations", "/images/edits",
        "/images/variations",
    ]

    /// - Throws: 403 for a call that the operator's key is not lent for.
    static func check(_ job: Job) throws(GatewayError) {
        let isLent =
            switch job.method {
            case "POST": posts.contains(job.path)
            case "GET", "HEAD": job.path == "/models" || job.path.hasPrefix("/models/")
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
