package import Redis

extension Verdict {
    /// The hash's fields, in the order in which they are read. `until` is there only if the verdict is good for a while
    /// alone.
    package static let fieldNames = [
        "verdict", "reason", "expected", "traced", "in_flight", "failed", "missing", "checked_at", "until",
    ]

    /// The fields and their values in turn, as HSET takes them.
    package var fields: [String] {
        let until = kind == .complete ? "" : String((checkedAt + Self.interimLife).milliseconds)
        let values = [
            kind.rawValue, reason ?? "", String(expected), String(traced), String(inFlight), String(failed),
            missing.joined(separator: "\n"),
            String(checkedAt.milliseconds), until,
        ]
        return zip(Self.fieldNames, values).flatMap { [$0, $1] }
    }

    /// Whether a verdict that is good for a moment is still good. One from so far ahead was written before a clock was
    /// put back.
    package static func holds(until: Timestamp, now: Timestamp) -> Bool {
        now < until && until - now <= interimLife * 2
    }

    /// Reads what HMGET of `fieldNames` gave.
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
