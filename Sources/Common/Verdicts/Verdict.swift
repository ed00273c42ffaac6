internal import Crypto
internal import JSON
package import Redis

/// The state of a rollout: whether the trace of every completion that succeeded is in the trace store.
package struct Verdict: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Every id of the rollout's set is traced: its trace was found in the trace store. True for exactly one state
        /// of the set.
        case complete
        /// Some completions are in flight, or have ended and cannot be found yet.
        case incomplete
        /// Nothing certain can be said; `reason` says why.
        case unknown
    }

    /// The most ids that `missing` lists.
    package static let mostMissing = 100
    /// The time for which a verdict that is not complete is given to further questions. It is short, since missing
    /// traces may be found at any moment.
    package static let interimLife = Duration.seconds(1)
    /// The longest time, in seconds, that a client may ask to `wait` for a verdict.
    package static let longestWait = 3600

    package var rollout: Rollout
    package var kind: Kind
    /// The reason why nothing can be said; nil unless the verdict is `unknown`.
    package var reason: String?
    /// Completions that succeeded or are in flight: the size of the rollout's set.
    package var expected: Int
    /// Completions whose trace was found in the trace store.
    package var traced: Int
    /// Completions that have not ended. One that is neither traced nor in flight is missing.
    package var inFlight: Int
    /// Completions that failed. They left the set; nothing waits for them.
    package var failed: Int
    /// Ids of missing ones, in the order in which they were made: at most `mostMissing` of them.
    package var missing: [String]
    package var checkedAt: Timestamp

    package init(
        rollout: Rollout, kind: Kind, reason: String? = nil, expected: Int, traced: Int, inFlight: Int,
        failed: Int,
        missing: [String],
        checkedAt: Timestamp
    ) {
        self.rollout = rollout
        self.kind = kind
        self.reason = reason
        self.expected = expected
        self.traced = traced
        self.inFlight = inFlight
        self.failed = failed
        self.missing = missing
        self.checkedAt = checkedAt
    }

    /// The reason why nothing can be said of a rollout of which Redis has lost ids.
    package static func loss(of count: Int, left: Int) -> String {
        "\(lossReason): \(left) of \(count) are left. Its set was evicted or deleted, or its life (ROLLOUT_TTL_SECONDS) ended between two of them. "
            + "Set Redis's maxmemory-policy to noeviction or ROLLOUT_TTL_SECONDS to more, and run the rollout again under another rollout_id"
    }
    private static let lossReason = "Redis has lost completions of the rollout"
    /// Whether Redis has lost ids of the rollout: asking again does not help.
    package var isLoss: Bool { kind == .unknown && reason?.utf8.starts(with: Self.lossReason.utf8) == true }

    /// The number of those that have ended and are not to be found, listed or not.
    package var missingCount: Int { max(expected - traced - inFlight, 0) }
}

extension Verdict {
    /// The hash's fields, in the order in which they are read. `until` is there only if the verdict is good for a while
    /// alone.
    package static let fieldNames = [
        "verdict", "reason", "expected", "traced", "in_flight", "failed", "missing", "checked_at", "until",
    ]

    /// The fields and their values in turn, as `HSET` takes them.
    package var fields: [String] {
        let until = kind == .complete ? "" : String((checkedAt + Self.interimLife).milliseconds)
        let values = [
            kind.rawValue, reason ?? "", String(expected), String(traced), String(inFlight), String(failed),
            missing.joined(separator: "\n"),
            String(checkedAt.milliseconds), until,
        ]
        return zip(Self.fieldNames, values).flatMap { [$0, $1] }
    }

    /// Whether a verdict that is good for a moment is still good. One whose time lies further ahead than that was
    /// written before a clock was put back.
    package static func holds(until: Timestamp, now: Timestamp) -> Bool {
        now < until && until - now <= interimLife * 2
    }

    /// Reads the reply to `HMGET` of `fieldNames`.
    /// - Parameter now: nil: it may be as old as it likes.
    /// - Returns: Nil if there is no verdict, or it is good no longer.
    package init?(fields: RedisValue, rollout: Rollout, now: Timestamp?) {
        guard let kind = fields[0].string.flatMap(Kind.init(rawValue:)), let expected = fields[2].int,
            let traced = fields[3].int,
            let inFlight = fields[4].int, let failed = fields[5].int, let checkedAt = fields[7].int
        else { return nil }
        if let now, let until = fields[8].int, !Self.holds(until: Timestamp(clamping: until), now: now) { return nil }
        let reason = fields[1].string.flatMap { $0.isEmpty ? nil : $0 }
        let missing = (fields[6].string ?? "").split(separator: "\n").map(String.init)
        self.init(
            rollout: rollout, kind: kind, reason: reason, expected: expected, traced: traced,
            inFlight: inFlight, failed: failed,
            missing: missing, checkedAt: Timestamp(clamping: checkedAt))
    }
}

extension Verdict {
    /// The verdict as clients get it:
    /// `{"rollout_id","project_id","verdict","expected","traced","in_flight","failed","missing":[…],"checked_at"}`, and
    /// `reason` in front of `checked_at` if it is `unknown`.
    package var json: [UInt8] { json(checkedAt: checkedAt) }

    /// A validator (RFC 9110 §8.8.3) for the same finding, whenever it was made: weak, since `checked_at` may differ.
    package var entityTag: String {
        let digits = Array("0123456789abcdef".utf8)
        // Without the closing brace, as in earlier versions: clients hold their tags.
        let hash = SHA256.hash(data: json(checkedAt: nil).dropLast()).prefix(16).flatMap {
            [digits[Int($0 >> 4)], digits[Int($0 & 15)]]
        }
        return "W/\"\(String(decoding: hash, as: UTF8.self))\""
    }

    /// Whether a client that sent this `If-None-Match` has the verdict already (RFC 9110 §13.1.2).
    package func isKnown(to ifNoneMatch: String?) -> Bool {
        guard let ifNoneMatch else { return false }
        let opaque = entityTag.dropFirst(2)
        return ifNoneMatch.split(separator: ",").contains { tag in
            let space = UInt8(ascii: " ")
            let tag = Substring(tag.utf8.drop { $0 == space }.prefix { $0 != space })
            return tag == "*" || (tag.hasPrefix("W/") ? tag.dropFirst(2) : tag) == opaque
        }
    }

    /// The response to a client's question.
    /// - Parameter ifNoneMatch: the entity tag of the verdict that the client has.
    /// - Returns: 304 without a body if that is the verdict still.
    package func response(
        ifNoneMatch: String?
    ) -> (status: Int, headers: [HeaderField], json: [UInt8]?) {
        let headers = [HeaderField("etag", entityTag), HeaderField("cache-control", "no-cache")]
        return isKnown(to: ifNoneMatch) ? (304, headers, nil) : (200, headers, json)
    }

    /// - Parameter time: The verdict's time; nil for JSON without it.
    private func json(checkedAt time: Timestamp?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("rollout_id", rollout.name)
            writer.member("project_id", rollout.project)
            writer.member("verdict", kind.rawValue)
            writer.member("expected", expected)
            writer.member("traced", traced)
            writer.member("in_flight", inFlight)
            writer.member("failed", failed)
            writer.member("missing") { $0.array(missing) { $0.string($1) } }
            if let reason { writer.member("reason", reason) }
            if let time { writer.member("checked_at", time.iso8601) }
        }
        return writer.bytes
    }
}
