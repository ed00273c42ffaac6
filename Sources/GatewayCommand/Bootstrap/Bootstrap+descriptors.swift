internal import ArgumentParser
internal import Common
internal import NIOCore

extension Bootstrap {
    /// Raises the limit of open files as far as the system lets the process, and lowers settings that it has no room
    /// for.
    /// - Returns: what the operator is told of it; nil: nothing was lowered.
    static func fit(_ settings: inout Settings) throws(ExitCode) -> String? {
        guard let limit = FileLimit.raise() else { return nil }
        let budget: DescriptorBudget
        do {
            budget = try DescriptorBudget(
                settings, limit: limit, loops: NIOSingletons.groupLoopCountSuggestion)
        } catch { throw failure("\(error)") }
        settings = budget.applied(to: settings)
        return budget.warning
    }
}
