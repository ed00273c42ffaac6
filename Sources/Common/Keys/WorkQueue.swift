/// A stream of jobs and the group that works on it: what one kind of worker takes its work from.
package struct WorkQueue: Sendable, Equatable {
    /// Redis key of the stream.
    package let stream: String
    /// The stream's consumer group.
    package let group: String
    /// Redis key of the bytes that the stream's payloads have together.
    package let bytes: String
    /// The prefix of the Redis keys by which the workers say that they live.
    package let livenessPrefix: String

    /// Calls to make, for forwarders.
    package static let completions = WorkQueue(
        stream: Keys.jobs, group: Keys.jobGroup, bytes: Keys.jobBytes, livenessPrefix: Keys.forwarderPrefix)
    /// Questions about rollouts, for verifiers.
    package static let verifications = WorkQueue(
        stream: Keys.verifications, group: Keys.verifierGroup, bytes: Keys.verificationBytes,
        livenessPrefix: Keys.verifierPrefix)
    /// Questions about the request log, for those who keep it.
    package static let queries = WorkQueue(
        stream: Keys.queries, group: Keys.querierGroup, bytes: Keys.queryBytes, livenessPrefix: Keys.querierPrefix)
}
