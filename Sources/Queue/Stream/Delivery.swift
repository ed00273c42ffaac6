package import Common
internal import Redis

/// An entry of the job stream, as a worker was given it. Its contents may be anything: others can write to Redis.
package struct Delivery: Sendable, Equatable {
    /// The entry's id on the stream, such as `1763812345678-0`.
    package var entry: String
    /// The queue that it was taken from.
    package let queue: WorkQueue
    /// The number of times that the entry has been given to a worker, this time included. From 1.
    package var count: Int
    /// Whether another delivery came before. Its worker may have begun to answer, even where it gave the entry back
    /// and its delivery does not count.
    package var isTakenOver: Bool
    /// The entry's `i`: an insertion id in text, if it is one of ours.
    package var insertionID: String
    /// The entry's `p`: a sealed job, if it is one of ours. Empty once the job was taken out.
    package private(set) var payload: [UInt8]
    /// The entry's `j` and `r`: the rollout whose set has the job's id, for a job that cannot be opened. Nil: the job
    /// has none, or a process of version 0.1.0 queued it.
    private(set) var rollout: Rollout?
    /// The sealed key of its own under which the payload is sealed.
    private var key = OwnKey.none
    /// The job as this process queued it; nil once it was taken out, and of entries that came from Redis.
    private var opened: SharedJob?
    /// Bytes of the payload.
    package let size: Int
    /// The entry's `s`: the slots of the charges that the job's end corrects, in their order.
    let slots: [Int]

    private enum OwnKey: Equatable {
        /// The payload is sealed under the gateway's key.
        case none
        /// Redis has not been asked for the key.
        case unread
        /// Nil: the key is gone.
        case read([UInt8]?)
    }

    /// The Redis key of the payload's own key; nil if it has none, or the entry is none of ours.
    var ownKey: String? { key == .none ? nil : InsertionID(insertionID).map(Keys.jobKey) }

    /// Notes the payload's own key.
    /// - Parameter found: the sealed key that Redis holds; nil if it holds none.
    mutating func note(key found: [UInt8]?) { key = .read(found) }

    /// Reads an entry `[id, [field, value, …]]`.
    init(entry: RedisValue, fields: RedisValue, on queue: WorkQueue, count: Int, isTakenOver: Bool) {
        self.queue = queue
        self.entry = entry.string ?? ""
        self.count = count
        self.isTakenOver = isTakenOver
        var insertionID = ""
        var payload: [UInt8] = []
        var slots: [Int] = []
        var (project, rollout): (String?, String?)
        let fields = fields.array ?? []
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            switch fields[index].string {
            case "i": insertionID = fields[index + 1].string ?? ""
            case "p": payload = fields[index + 1].bytes ?? []
            case "w": key = .unread
            case "j": project = fields[index + 1].string
            case "r": rollout = fields[index + 1].string
            case "s": slots = (fields[index + 1].string ?? "").split(separator: " ").compactMap { Int($0) }
            default: continue
            }
        }
        self.insertionID = insertionID
        self.payload = payload
        self.slots = slots
        if let project, let rollout { self.rollout = Rollout(rollout, project: project) }
        size = payload.count
    }

    /// A job of this process, which was given to its own worker as it was queued.
    /// - Parameters:
    ///   - size: bytes of the entry's payload.
    ///   - slots: as they stand in the entry.
    init(_ job: Job, entry: String, on queue: WorkQueue, size: Int, slots: [Int] = []) {
        self.slots = slots
        self.queue = queue
        self.entry = entry
        self.size = size
        count = 1
        isTakenOver = false
        insertionID = job.insertionID.description
        payload = []
        opened = SharedJob(job)
        if job.ownSeal != nil { key = .unread }
    }

    /// The corrections that the job's end makes to the job's charges.
    func settlements(of job: Job, after spent: TokensSpent) -> [JobStream.Settlement] {
        let charges = job.charges.filter(\.isSettled)
        // Without a slot for each, as after an operator has queued a dead letter again, nothing is known of them.
        guard charges.count == slots.count else { return [] }
        return zip(charges, slots).compactMap { charge, slot in
            guard let count = spent.count(of: charge.unit, estimate: charge.amount), count != charge.amount else {
                return nil
            }
            return .init(counter: charge.counter, slot: slot, difference: count - charge.amount)
        }
    }

    /// The queueing time by the Redis server's clock; nil if the id is not of Redis's form.
    package var queuedAt: Timestamp? { UInt64(entry.prefix { $0 != "-" }).map { Timestamp(milliseconds: $0) } }

    /// Takes the job out, opened with the gateway's key. It is there once.
    package mutating func takeJob(opening envelope: Envelope) throws(DeliveryError) -> Job {
        defer { (payload, opened) = ([], nil) }
        if let opened { return opened.job }
        return try job(opening: envelope)
    }

    /// The job in the payload, opened with the gateway's key.
    package func job(opening envelope: Envelope) throws(DeliveryError) -> Job {
        guard let id = InsertionID(insertionID) else { throw .noInsertionID }
        do {
            let seal = try ownSeal(of: id, envelope)
            var job = try Job(wireBytes: (seal?.envelope ?? envelope).open(payload, for: .job(id, on: queue)))
            guard job.insertionID == id else { throw DeliveryError.otherInsertionID }
            job.ownSeal = seal
            return job
        } catch let error as DeliveryError {
            throw error
        } catch let error as EnvelopeError {
            throw .envelope(error)
        } catch let error as WireError {
            throw .wire(error)
        } catch {
            throw .otherInsertionID
        }
    }
}

extension Delivery {
    private func ownSeal(of id: InsertionID, _ envelope: Envelope) throws -> OwnSeal? {
        switch key {
        case .none: return nil
        case .unread: throw DeliveryError.keyUnread
        case .read(nil): throw DeliveryError.keyGone
        case .read(let wrapped?): return try OwnSeal(unwrapping: wrapped, of: id, by: envelope)
        }
    }
}

/// The reason why an entry on the job stream is not a job.
package enum DeliveryError: Error, Sendable, Equatable, CustomStringConvertible {
    case noInsertionID
    case otherInsertionID
    /// The key of its own under which the job is sealed was not asked for.
    case keyUnread
    /// Redis has lost it, or the job's time is long over.
    case keyGone
    case envelope(EnvelopeError)
    case wire(WireError)

    /// Whether another worker may be able to read it.
    package var isForOthers: Bool {
        switch self {
        case .envelope(let error): error.isForOthers
        case .keyUnread: true
        case .noInsertionID, .otherInsertionID, .keyGone, .wire: false
        }
    }

    package var description: String {
        switch self {
        case .noInsertionID: "the entry's field i is not an insertion id"
        case .otherInsertionID: "the entry's insertion id is not the job's"
        case .keyUnread: "the key of its own, under which the job is sealed, was not read"
        case .keyGone: "the key of its own, under which the job is sealed, is gone; nothing opens it any longer"
        case .envelope(let error): "the entry's field p is \(error)"
        case .wire(let error): "the entry's job cannot be read: \(error.rawValue)"
        }
    }
}
