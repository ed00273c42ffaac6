internal import CCurl
internal import Glibc
internal import NIOConcurrencyHelpers

/// One named OS thread that is a serial executor.
///
/// Actors that are pinned to it may hold C handles that must never leave their thread; the compiler then proves what a
/// comment would only ask.
package final class LoopThread: SerialExecutor {
    private enum Item: Sendable {
        case job(UnownedJob)
        case work(@Sendable () -> Void)
    }

    private enum Phase {
        /// Items that come wait for `start`.
        case idle
        case running
        /// The thread ends as soon as nothing is left to run.
        case stopping
        case stopped
    }

    private struct State {
        var phase = Phase.idle
        var items: [Item] = []
        /// True from the thread's decision to block until another thread wakes it, or it wakes by itself.
        var isAsleep = false
        /// The thread that runs the items now.
        var thread: pthread_t?
    }

    private let name: String
    private let wake: @Sendable () -> Void
    private let state = NIOLockedValueBox(State())

    /// - Parameters:
    ///   - name: the thread's name; Linux shows 15 bytes of it.
    ///   - wake: makes a turn that blocks return. Called from any thread, at most once for each time that the loop
    ///     falls asleep.
    package init(name: String, wake: @escaping @Sendable () -> Void) {
        self.name = name
        self.wake = wake
    }

    /// Starts the thread. `turn` runs on it after every batch of jobs. If it is told so it may block until `wake`,
    /// before anything else that it does.
    package func start(turn: @escaping @Sendable (_ mayBlock: Bool) -> Void) {
        let isFirst = state.withLockedValue { state in
            guard state.phase == .idle else { return false }
            state.phase = .running
            state.thread = spawn { $0.run(turn: turn) }
            return true
        }
        precondition(isFirst, "a loop thread is started once")
    }

    /// Runs what is enqueued, ends the thread and waits for its end. Must not be called on the thread itself.
    ///
    /// Later jobs still run, on a thread that lives for them alone, so that no caller waits for ever on a stopped loop.
    package func stop() {
        let thread: pthread_t? = state.withLockedValue { state in
            switch state.phase {
            case .idle:
                state.phase = .stopped
                startLateThread(&state)
                return nil
            case .running:
                state.phase = .stopping
                return state.thread
            case .stopping, .stopped: return nil
            }
        }
        guard let thread else { return }
        precondition(pthread_equal(thread, pthread_self()) == 0, "a loop thread cannot wait for its own end")
        wake()
        pthread_join(thread, nil)
    }

    package func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    /// Runs `work` on the thread, in order with the jobs.
    package func submit(_ work: @escaping @Sendable () -> Void) { add(.work(work)) }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    package func checkIsolated() { precondition(isCurrent, "called off the loop thread \(name)") }

    private var isCurrent: Bool { state.withLockedValue { isCurrent($0) } }

    private func isCurrent(_ state: State) -> Bool {
        state.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false
    }
}

extension LoopThread {
    private func add(_ item: Item) {
        let mustWake = state.withLockedValue { state in
            state.items.append(item)
            startLateThread(&state)
            // What the thread itself adds, it does after it has woken: it looks at the items again before it blocks.
            guard state.isAsleep, !isCurrent(state) else { return false }
            state.isAsleep = false
            return true
        }
        if mustWake { wake() }
    }

    /// Once the loop's own thread has ended, another one runs what still comes.
    private func startLateThread(_ state: inout State) {
        guard state.phase == .stopped, state.thread == nil, !state.items.isEmpty else { return }
        let thread = spawn { $0.runLate() }
        state.thread = thread
        pthread_detach(thread)
    }

    private func run(turn: (Bool) -> Void) {
        while true {
            runBatch()
            let (mayBlock, isOver) = state.withLockedValue { state in
                let isOver = state.items.isEmpty && state.phase == .stopping
                if isOver { (state.phase, state.thread) = (.stopped, nil) }
                state.isAsleep = state.items.isEmpty && state.phase == .running
                return (state.isAsleep, isOver)
            }
            if isOver { return }
            turn(mayBlock)
        }
    }

    private func runLate() {
        repeat {
            runBatch()
        } while state.withLockedValue { state in
            if state.items.isEmpty { state.thread = nil }
            return state.thread != nil
        }
    }

    private func runBatch() {
        let batch: [Item] = state.withLockedValue { state in
            state.isAsleep = false
            defer { state.items = [] }
            return state.items
        }
        for item in batch {
            switch item {
            case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
            case .work(let work): work()
            }
        }
    }

    /// The data for the new thread.
    private final class Start: Sendable {
        let loop: LoopThread
        let body: @Sendable (LoopThread) -> Void

        init(_ loop: LoopThread, _ body: @escaping @Sendable (LoopThread) -> Void) {
            self.loop = loop
            self.body = body
        }
    }

    /// Called with the lock held, so that the thread cannot look for its own id before it is stored.
    private func spawn(_ body: @escaping @Sendable (LoopThread) -> Void) -> pthread_t {
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start(self, body))
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                pthread_setname_np(pthread_self(), String(start.loop.name.prefix(15)))
                start.body(start.loop)
                return nil
            }, start.toOpaque())
        precondition(status == 0, "no thread for the loop \(name): error \(status)")
        return thread
    }
}
