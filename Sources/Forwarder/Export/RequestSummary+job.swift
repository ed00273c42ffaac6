internal import Common
internal import Policies
internal import Queue

extension RequestSummary {
    /// All that a job says of its request.
    init(_ job: Job) {
        self.init()
        (path, user, teams, isStream) = (ShownText.path(job.path), job.user, job.teams, job.isStream)
        requestBytes = job.body.count
        rules = job.rules.limits
        steps = job.route.steps
    }

    /// Notes that a call is made.
    /// - Parameters:
    ///   - model: `provider/model`.
    ///   - time: now, in milliseconds since 1970.
    mutating func calls(_ model: String, at time: UInt64) {
        if firstCall == nil { firstCall = time }
        lastCall = time
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
