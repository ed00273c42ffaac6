internal import Common
internal import Policies

extension RequestFacts {
    /// The facts about a job's request on which rules may decide.
    init(_ job: Job, from account: Account?) {
        self.init(caller: Caller(account), model: job.model, metadata: job.metadata, rollout: job.rollout)
    }
}

extension Caller {
    init(_ account: Account?) {
        self.init(account: account?.id, user: account?.user, teams: account?.teams ?? [])
    }
}
