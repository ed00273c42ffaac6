internal import Common

extension TokensSpent {
    /// The usage in the answer of a job's target, as far as it can be believed.
    /// - Parameter usage: nil if the answer does not say.
    init(_ usage: TokenUsage?, of job: Job, by target: Target) {
        guard let usage else {
            self = .unknown
            return
        }
        let isClients = job.baseURL != nil || target.provider == ProviderDirectory.mock
        self =
            isClients
            ? .claimed(input: usage.input, output: usage.output, total: usage.total)
            : .counted(input: usage.input, output: usage.output, total: usage.total)
    }
}
