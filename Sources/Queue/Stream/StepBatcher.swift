internal import NIOConcurrencyHelpers
internal import NIOCore

/// One job's part of a script that is run for many jobs.
protocol BatchedStep: Sendable {
    /// Bytes that it adds to the script's keys and arguments, or somewhat more.
    var byteCount: Int { get }
    /// Steps with different names do not go together; one without a name goes with any.
    var group: String? { get }
}

/// Collects the steps of a turn of an event loop. They leave together at its end, in scripts of bounded size.
///
/// A script holds up all other commands of the server while it runs, so many small ones are better than one that is
/// large.
final class StepBatcher<Step: BatchedStep>: Sendable {
    private let eventLoop: any EventLoop
    private let send: @Sendable ([Step]) -> Void
    private let waiting = NIOLockedValueBox<[Step]>([])

    /// - Parameters:
    ///   - eventLoop: that of the connection.
    ///   - send: sends the steps of one script; is called on the event loop.
    init(on eventLoop: any EventLoop, send: @escaping @Sendable ([Step]) -> Void) {
        self.eventLoop = eventLoop
        self.send = send
    }

    /// Takes a step, from any thread.
    func submit(_ step: Step) {
        let isFirst = waiting.withLockedValue { waiting in
            waiting.append(step)
            return waiting.count == 1
        }
        if isFirst { eventLoop.execute { self.leave() } }
    }

    private func leave() {
        let steps = waiting.withLockedValue { waiting in
            defer { waiting = [] }
            return waiting
        }
        for batch in StepBatches.split(steps) { send(batch) }
    }
}

/// Divides steps among scripts.
enum StepBatches {
    /// The most jobs of one script.
    static let mostSteps = 64
    /// The most bytes of one script. A single larger step leaves alone.
    static let mostBytes = 1 << 20
    /// More bytes than the short parts of any step have together: numbers, fingerprints, the project, the job's own
    /// keys.
    static let shortBytes = 2048

    /// - Returns: the steps in their order, as few batches as that allows.
    static func split<Step: BatchedStep>(_ steps: [Step]) -> [[Step]] {
        var batches: [[Step]] = []
        var (bytes, group): (Int, String?) = (0, nil)
        for step in steps {
            let isOfGroup = group == nil || step.group == nil || step.group == group
            if let last = batches.indices.last, batches[last].count < mostSteps, bytes + step.byteCount <= mostBytes,
                isOfGroup
            {
                batches[last].append(step)
                bytes += step.byteCount
                group = group ?? step.group
            } else {
                batches.append([step])
                (bytes, group) = (step.byteCount, step.group)
            }
        }
        return batches
    }
}
