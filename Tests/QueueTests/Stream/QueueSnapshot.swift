@testable import Common
@testable import Queue
@testable import Redis

/// What Redis keeps, without what differs from run to run: ids of entries, and the time.
struct QueueSnapshot: Equatable {
    /// Each key with its type, its value and whether it has a life.
    private(set) var keys: [String: String] = [:]
    /// Who has which job, for the how-manieth time, in the order of the stream.
    private(set) var pending: [String] = []

    init(_ fixture: QueueFixture) async throws {
        for name in try await fixture.send("KEYS", "*").array ?? [] {
            let key = name.string ?? ""
            // A worker's sign of life ends after 15 s by the server's clock, be the test slow or not.
            if key.hasPrefix(Keys.forwarderPrefix) { continue }
            // The version before batches counted nothing of what is kept for later.
            if key == Keys.kept { continue }
            let type = try await fixture.send("TYPE", key).string ?? ""
            let hasLife = try await fixture.send("PTTL", key).int ?? 0 > 0
            keys[key] = "\(type) \(hasLife) \(try await Self.value(of: key, type, fixture))"
        }
        var ids: [String: String] = [:]
        for entry in try await fixture.send("XRANGE", Keys.jobs, "-", "+").array ?? [] {
            ids[entry[0].string ?? ""] = entry[1][1].string
        }
        for held in try await fixture.send("XPENDING", Keys.jobs, Keys.jobGroup, "-", "+", 1000).array ?? [] {
            pending.append("\(ids[held[0].string ?? ""] ?? "gone") \(held[1].string ?? "") \(held[3].int ?? 0)")
        }
    }

    private static func value(of key: String, _ type: String, _ fixture: QueueFixture) async throws -> String {
        switch type {
        case "set": return "\(try await fixture.members(key).sorted())"
        case "zset":
            return "\((try await fixture.send("ZRANGE", key, 0, -1).array ?? []).compactMap(\.string).sorted())"
        case "hash": return "\(fields(try await fixture.send("HGETALL", key).array ?? []).sorted())"
        case "stream":
            return "\((try await fixture.send("XRANGE", key, "-", "+").array ?? []).map { fields($0[1].array ?? []) })"
        default: return "\(try await fixture.send("GET", key))"
        }
    }

    private static func fields(_ values: [RedisValue]) -> [String] {
        stride(from: 0, to: values.count - 1, by: 2).compactMap { index in
            let name = values[index].string ?? ""
            // The version before batches does not name a job's rollout outside the job.
            if ["j", "r"].contains(name) { return nil }
            // The time, and the id of an entry in a dead letter.
            return ["at", "entry"].contains(name) ? name : "\(name) \(values[index + 1].bytes ?? [])"
        }
    }

    /// The keys that are not the same in another.
    func differences(from other: QueueSnapshot) -> [String] {
        Set(keys.keys).union(other.keys.keys).filter { keys[$0] != other.keys[$0] }.sorted()
    }
}
