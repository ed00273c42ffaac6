import Common
import Redis
import TestSupport
import Testing

/// Secrets that are looked for wherever they must not be.
struct CanarySearch {
    /// By what they are.
    let canaries: [String: [UInt8]]

    init(_ canaries: [String: String]) { self.init(bytes: canaries.mapValues { Array($0.utf8) }) }

    init(bytes canaries: [String: [UInt8]]) { self.canaries = canaries }

    func expectNone(in bytes: [UInt8], _ place: String, sourceLocation: SourceLocation = #_sourceLocation) {
        for (name, canary) in canaries where bytes.firstRange(of: canary) != nil {
            Issue.record("\(name) is in \(place)", sourceLocation: sourceLocation)
        }
    }

    /// Looks at an answer, with its headers.
    func expectNone(in answer: HTTPAnswer, _ place: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let headers = answer.headers.map { "\($0.name): \($0.value)\n" }.joined()
        expectNone(in: Array(headers.utf8) + answer.body, "the answer to \(place)", sourceLocation: sourceLocation)
    }

    /// Looks at every key of Redis, its name and its value, as `DUMP` shows it and as it reads.
    func expectNone(in redis: RedisClient, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for name in try await redis.send(RedisCommand("KEYS", "*")).array ?? [] {
            let key = name.string ?? ""
            expectNone(in: Array(key.utf8), "the name of a key", sourceLocation: sourceLocation)
            expectNone(
                in: try await redis.send(RedisCommand("DUMP", key)).bytes ?? [], key, sourceLocation: sourceLocation)
            guard try await redis.send(RedisCommand("TYPE", key)).string == "stream" else { continue }
            // DUMP may compress.
            let entries = try await redis.send(RedisCommand("XRANGE", key, "-", "+")).array ?? []
            for field in entries.flatMap({ $0[1].array ?? [] }) {
                expectNone(in: field.bytes ?? [], "an entry of \(key)", sourceLocation: sourceLocation)
            }
        }
    }
}
