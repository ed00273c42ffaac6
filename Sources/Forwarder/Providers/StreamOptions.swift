internal import Common
internal import JSON

/// Asks a provider for the usage of a stream (`stream_options.include_usage`, OpenAI's Chat Completions API).
enum StreamOptions {
    static let member = "stream_options"

    /// Whether a job's call has a usage to ask for.
    static func areWanted(for job: Job) -> Bool { job.isStream && job.path == Provider.chatCompletions }

    /// Puts the member into a request, if the provider takes it. The client's own value stands, and all other bytes
    /// stay as they are.
    /// - Returns: whether it was put in. The event that it brings must then be hidden from the client.
    static func add(to body: inout JobBody, rejected: Set<UTF8Text> = []) -> Bool {
        guard !rejected.contains(member), let object = body.object, object.member(member) == nil else { return false }
        body.edit { $0.set(member, to: Array(#"{"include_usage":true}"#.utf8)) }
        return true
    }
}
