internal import Common
internal import Policies
internal import Queue

extension RequestSummary {
    /// Takes all facts about the request from its job.
    init(_ job: Job) {
        self.init()
        // The usual path needs no search.
        path = job.path == Provider.chatCompletions ? job.path : ShownText.beginning(of: job.path)
        (user, teams, isStream) = (job.user, job.teams, job.isStream)
        requestBytes = job.body.count
        rules = job.rules.all
    }

    /// Notes that a call is made.
    /// - Parameters:
    ///   - model: `provider/model`.
    ///   - time: now.
    ///   - steps: the targets to which the operator's rules send the job.
    mutating func calls(_ model: String, at time: Timestamp, of steps: [Route.Step]) {
        if firstCall == nil { firstCall = time }
        guard let step = steps.first(where: { $0.model == model }), let rule = step.rule else { return }
        target = model
        if !rules.contains(rule) { rules.append(rule) }
    }

    /// Notes an error of the gateway's own.
    /// - Parameter hasAnswer: whether an answer had begun, whose status the client has.
    mutating func fails(with error: GatewayError, hasAnswer: Bool) {
        if error.code == GatewayError.cancelled.code { ending = "cancelled" }
        if !hasAnswer { status = error.status }
    }
}
