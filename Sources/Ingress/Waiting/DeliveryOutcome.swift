internal import NIOConcurrencyHelpers

/// The outcome of an answer that is handed on. It is reported once: later reports change nothing.
///
/// A response's body may never be asked for, as for a `HEAD`, or when its connection closes before it begins. The
/// outcome is then released with the body, without a report, and the answer counts as abandoned.
final class DeliveryOutcome: Sendable {
    private typealias Actions = (finished: @Sendable () -> Void, abandoned: @Sendable () -> Void)

    private let actions: NIOLockedValueBox<Actions?>

    /// - Parameters:
    ///   - finished: called when all of it was handed on, or there was nothing to hand on.
    ///   - abandoned: called when the client does not take the rest.
    init(finished: @escaping @Sendable () -> Void, abandoned: @escaping @Sendable () -> Void) {
        actions = NIOLockedValueBox((finished, abandoned))
    }

    deinit { abandoned() }

    func finished() { take()?.finished() }

    func abandoned() { take()?.abandoned() }

    private func take() -> Actions? { actions.withLockedValue { $0.take() } }
}
