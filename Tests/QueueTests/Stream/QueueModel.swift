@testable import Common
@testable import Queue

/// What the queue must hold after each act upon it (architecture §2.1, §2.2, §2.4, §3): facts alone, and what follows
/// from them.
struct QueueModel {
    enum Phase: Equatable {
        case queued
        /// A forwarder's. It may be dead, or never have heard of it.
        case held(by: String, count: Int)
        case ended(succeeded: Bool)
    }

    /// A job that was accepted.
    struct Item {
        let job: Job
        /// What its entry holds.
        let bytes: Int
        /// The rollout that it is recorded in, if any.
        let rollout: RolloutKeys?
        var phase = Phase.queued
        /// Whether a part of its answer was sent.
        var hasStarted = false
        var isCancelled = false
        /// Whether it was given to its holder long ago.
        var isOld = false
        /// When it was given to its holder.
        var heldSince = ContinuousClock.now
        /// Whether Redis may hold it for given long ago by its own clock, since the test is slow.
        var mayBeOld: Bool { heldSince.duration(to: .now) > JobStream.lostAfter * 0.9 }
        /// The sealed span that its end left, if any.
        var span: [UInt8]?

        var hasEnded: Bool { if case .ended = phase { true } else { false } }
        var holder: String? { if case .held(let name, _) = phase { name } else { nil } }
    }

    /// The consumer that never lives.
    static let released = "released"

    /// All that were accepted, in their order.
    var items: [Item] = []
    var living: Set<String> = []
    /// The frames on each response stream that is there.
    var streams: [String: [[UInt8]]] = [:]
    var letters = 0
    /// The verdicts that stand.
    var verdicts: Set<String> = []
    /// The job that each idempotency key stands for, and what was asked.
    var requests: [String: (job: InsertionID, fingerprint: [UInt8])] = [:]

    /// Queued or held, in the order of the stream.
    var present: [Item] { items.filter { !$0.hasEnded } }
    var bytes: Int { present.reduce(0) { $0 + $1.bytes } }

    func index(of id: String) -> Int? { items.firstIndex { $0.job.insertionID.description == id } }

    func isHeld(_ job: Job, by name: String) -> Bool {
        items.contains { $0.job.insertionID == job.insertionID && $0.holder == name }
    }

    /// What a forwarder may take over: what the dead hold, and what itself was given long ago; but nothing that it
    /// believes to work on.
    /// - Returns: what it may, and of that what it must if it takes enough.
    func claimable(by name: String, running: Set<String>) -> (may: Set<String>, must: Set<String>) {
        let own = items.filter { !running.contains($0.job.insertionID.description) && $0.holder == name }
        let lost = items.filter { item in item.holder.map { $0 != name && !living.contains($0) } ?? false }
            .filter { !running.contains($0.job.insertionID.description) }
        func ids(_ items: [Item]) -> Set<String> { Set(items.map(\.job.insertionID.description)) }
        return (ids(lost + own.filter { $0.isOld || $0.mayBeOld }), ids(lost + own.filter(\.isOld)))
    }

    /// The rollouts' sets: accepted, and not ended without success.
    var sets: [String: Set<String>] {
        var sets: [String: Set<String>] = [:]
        for item in items where item.phase != .ended(succeeded: false) {
            if let set = item.rollout?.set { sets[set, default: []].insert(item.job.insertionID.description) }
        }
        return sets
    }

    /// Every key that is there, and no other.
    var keys: Set<String> {
        var keys = Set(sets.keys).union(streams.keys).union(living.map(Keys.forwarder)).union(requests.keys)
        keys.formUnion([Keys.jobs, QueueModelRun.taken])
        if !present.isEmpty { keys.insert(Keys.jobBytes) }
        if letters > 0 { keys.insert(Keys.dead) }
        keys.formUnion(verdicts)
        if items.contains(where: { $0.span != nil }) { keys.insert(Keys.traceBytes) }
        if keptBytes > 0 { keys.insert(Keys.kept) }
        for item in items {
            let id = item.job.insertionID
            if let rollout = item.rollout { keys.formUnion([rollout.record, rollout.list, rollout.count]) }
            if item.span != nil { keys.formUnion([Keys.span(id), Keys.traces(project: item.job.project)]) }
            if item.job.isFetchable { keys.insert(Keys.jobRecord(id)) }
            if item.isCancelled { keys.insert(Keys.cancelled(id)) }
            if item.hasStarted, !item.hasEnded { keys.insert(Keys.started(id)) }
            if item.job.isWithheld, !item.hasEnded { keys.insert(Keys.jobKey(id)) }
        }
        return keys
    }

    /// How many completions of a rollout failed.
    func failures(of rollout: RolloutKeys) -> Int {
        items.count { $0.rollout == rollout && $0.phase == .ended(succeeded: false) }
    }

    /// The spans that wait for their export, by stream.
    var outbox: [String: Set<String>] {
        var outbox: [String: Set<String>] = [:]
        for item in items where item.span != nil {
            outbox[Keys.traces(project: item.job.project), default: []].insert(item.job.insertionID.description)
        }
        return outbox
    }
    var spanBytes: Int { items.reduce(0) { $0 + ($1.span?.count ?? 0) } }

    /// What is kept for later: of each job that can be fetched its record and what its request is known by, its answer,
    /// and until it ends what is set aside for that; and the answers whose ingress is gone.
    var keptBytes: Int {
        var bytes = requests.count * 256
        for item in items where item.job.isFetchable { bytes += 256 + (item.hasEnded ? 0 : KeptBytes.reserved) }
        for (key, frames) in streams where key.hasPrefix("gateway/response/") {
            bytes += frames.enumerated().reduce(0) { bytes, frame in
                bytes + (frame.offset == 0 ? max(frame.element.count + 1000, 4800) : frame.element.count + 80)
            }
        }
        return bytes
    }

    /// A frame goes to the job's response stream, or is kept under the job's own key where that is gone.
    mutating func send(_ frame: [UInt8], of job: Job) {
        let key = streams[job.responseKey] == nil ? Keys.response(job.insertionID) : job.responseKey
        streams[key, default: []].append(frame)
    }
}
