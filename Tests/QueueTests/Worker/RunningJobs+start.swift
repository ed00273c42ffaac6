@testable import Common
@testable import Queue

extension RunningJobs {
    /// Runs a job in a task of its own, as the verifier does.
    func start(
        _ id: InsertionID?, entry: String, on executor: (any TaskExecutor)?, client: (any LocalClient)? = nil,
        _ operation: @escaping @Sendable (CallControl) async -> Void
    ) {
        let control = begin(id, entry: entry, client: client)
        // allowed: its test waits for it with `waitUntilEmpty`
        let task = Task(executorPreference: executor) {
            await operation(control)
            self.finish(id, entry: entry, control: control)
        }
        control.onEnd { task.cancel() }
    }
}
