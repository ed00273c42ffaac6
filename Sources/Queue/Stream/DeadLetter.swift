package import Common
internal import Redis

/// A job that was given up, as it stands in `gateway/dead`. Its contents may be anything: others can write to Redis.
package struct DeadLetter: Sendable, Equatable {
    /// The part of its job that a letter holds.
    package enum Content: Sendable, Equatable {
        case sealed([UInt8])
        /// The request is one that is kept out of traces.
        case withheld
        /// The job was larger than a letter keeps.
        case none
    }

    /// Its own id on the stream of dead letters.
    package var entry: String
    package var reason: String
    /// The job's insertion id, as the entry told it.
    package var insertionID: String
    /// Bytes of the job's payload.
    package var bytes: Int
    package var content: Content

    /// Reads an entry `[id, [field, value, …]]`; nil for anything else.
    init?(_ reply: RedisValue) {
        guard let entry = reply[0].string, let fields = reply[1].array else { return nil }
        self.entry = entry
        (reason, insertionID, bytes, content) = ("", "", 0, .none)
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            let value = fields[index + 1]
            switch fields[index].string {
            case "reason": reason = value.string ?? ""
            case "i": insertionID = value.string ?? ""
            case "bytes": bytes = value.int ?? 0
            case "p": content = .sealed(value.bytes ?? [])
            case "withheld": content = .withheld
            default: continue
            }
        }
    }

    /// The time at which the job was given up.
    package var time: Timestamp {
        let text = entry.utf8.split(separator: UInt8(ascii: "-")).first.map { String(decoding: $0, as: UTF8.self) }
        return Timestamp(milliseconds: text.flatMap { UInt64($0) } ?? 0)
    }

    /// The job and the queue from which it comes; nil where it is not kept or cannot be read.
    package func job(opening envelope: Envelope) -> (job: Job, queue: WorkQueue)? {
        guard case .sealed(let payload) = content, let id = InsertionID(insertionID) else { return nil }
        for queue in [WorkQueue.completions, .verifications, .queries] {
            guard let plain = try? envelope.open(payload, for: .job(id, on: queue)),
                let job = try? Job(wireBytes: plain), job.insertionID == id
            else { continue }
            return (job, queue)
        }
        return nil
    }
}
