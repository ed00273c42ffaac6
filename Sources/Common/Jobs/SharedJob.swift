/// A job that several parts of a process hold at once. A copy of the reference counts once, and a copy of the job once
/// for each of its members.
package final class SharedJob: Sendable {
    package let job: Job

    package init(_ job: Job) { self.job = job }
}

extension SharedJob: Equatable {
    package static func == (left: SharedJob, right: SharedJob) -> Bool {
        left === right || left.job == right.job
    }
}
