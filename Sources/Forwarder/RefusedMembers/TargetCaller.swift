internal import Common
internal import Logging
internal import NIOCore
internal import Upstream

/// Makes the calls of jobs to their targets. A target may refuse a member that the client never sent and the gateway
/// has added. The call is then made once more without the member, and its caller sees one call.
struct TargetCaller: Sendable {
    let upstream: any UpstreamClient
    var refused = RefusedMembers()
    /// The time for which a refusal may be held back until it is whole, and an answer until its first event.
    var hold = Duration.seconds(10)
    /// Bytes that may be held back. A refusal may have as many more as the request has.
    var holdBytes = 64 << 10
    var logger: Logger?

    /// - Parameters:
    ///   - request: the target's, with the times of this call.
    ///   - changed: is called on the event loop with a changed target, before the answer of that target comes.
    func start(
        _ request: UpstreamRequest, to target: Target, patience: Duration?, on eventLoop: any EventLoop,
        _ receiver: any UpstreamReceiver, changed: @escaping @Sendable (Target) -> Void
    ) -> any UpstreamTransfer {
        guard !target.addedMembers.isEmpty else {
            return upstream.start(request, patience: patience, on: eventLoop, to: receiver)
        }
        let transfer = RefusableTransfer(
            request, to: target, by: self, patience: patience, on: eventLoop, to: receiver, changed: changed)
        transfer.start()
        return transfer
    }

    /// Notes that a target takes the request without members that it has refused.
    func note(_ members: [String], refusedBy target: Target) {
        refused.note(members, of: target)
        logger?.notice(
            "a provider refuses what the gateway adds to requests; say so as `rejects` of its account in secrets.yaml",
            metadata: ["provider": "\(target.provider)", "members": "\(members.joined(separator: ", "))"])
    }
}
