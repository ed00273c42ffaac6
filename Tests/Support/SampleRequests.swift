package import Common
package import RequestLog

/// Random rows of the request log, with few different values, so that filters meet some of them. Costs are multiples of
/// 1/1024, so that their sums are the same in any order.
package struct SampleRequests {
    package static let start = Timestamp(milliseconds: 1_790_000_000_000)
    package static let projects = ["p", "other", ""]
    /// Canonically equivalent ones, ones with a NUL, and such as begin alike.
    package static let texts = [
        "prod", "production", "staging", "é", "e\u{301}", "a\u{0}b", "a\u{0}c", "", "(none)", "x,y",
    ]
    package static let keys = ["environment", "customer-id", "é", "e\u{301}", "rare", "k[x]"]
    package static let models = ["gpt-4o", "gpt-4o-mini", "claude"]

    package var random: SeededRandom
    /// Rows lie within so many milliseconds.
    package let span: Int

    package init(seed: UInt64, span: Int = 3_600_000) {
        random = SeededRandom(seed: seed)
        self.span = span
    }

    package mutating func id() -> InsertionID {
        // Some rows of one millisecond differ in the last bits alone, which have no part in their place.
        let time = random.chance(oneIn: 5) ? Self.start + 77 : Self.start + random.below(span)
        return InsertionID(
            milliseconds: time.milliseconds, counter: UInt64(random.below(3)),
            randomBits: random.chance(oneIn: 2) ? UInt64(random.below(1000)) : random.next())
    }

    package mutating func row() -> RequestRow {
        var row = RequestRow(
            id: id(), project: random.chance(oneIn: 4) ? random.pick(Self.projects) : "p",
            outcome: random.pick(RequestRow.Outcome.allCases), status: random.pick([200, 200, 200, 404, 429, 500, 503]))
        if random.chance(oneIn: 2) {
            row.rollout = RolloutIDs(
                rollout: random.pick(["r1", "r2", ""]), invocation: "i", experiment: random.pick(Self.texts),
                run: "run",
                row: String(random.below(50)))
        }
        row.account = optional { $0.pick(["a", "b"]) }
        row.user = optional { $0.pick(Self.texts) }
        for team in ["search", "ads", "é"] where random.chance(oneIn: 3) { row.teams.append(team) }
        for key in Self.keys where random.chance(oneIn: key == "rare" ? 40 : 2) {
            row.metadata.append(
                .init(key, random.pick(Self.texts), from: random.pick(ResolvedMetadata.Origin.allCases)))
        }
        row.path = random.pick(["/chat/completions", "/embeddings", ""])
        row.modelAsked = optional { $0.pick(Self.models) }
        row.modelServed = optional { $0.pick(Self.models) }
        row.provider = optional { $0.pick(["openai", "anthropic"]) }
        row.target = optional { $0.pick(["t1", "t2"]) }
        row.errorCode = optional { $0.pick([RequestRow.limitCode, "upstream_error"]) }
        row.finishReason = optional { $0.pick(["stop", "length"]) }
        for rule in ["rule-1", "rule-2"] where random.chance(oneIn: 4) { row.rules.append(rule) }
        measure(&row)
        return row
    }

    private mutating func measure(_ row: inout RequestRow) {
        row.isStream = random.chance(oneIn: 2)
        row.tokens.input = optional { $0.below(5000) }
        row.tokens.output = optional { $0.below(500) }
        row.tokens.cached = optional { $0.below(50) }
        row.tokens.reasoning = optional { $0.below(50) }
        row.cost = optional { Double($0.below(4096)) / 1024 }
        row.latency = UInt64(random.below(30_000))
        row.queueWait = optional { UInt64($0.below(100)) }
        row.timeToFirstToken = optional { UInt64($0.below(3000)) }
        row.interTokenLatency = optional { Double($0.below(100)) / 4 }
        row.retries = random.below(3)
        row.requestBytes = random.below(10_000)
        row.responseBytes = random.below(10_000)
        for number in 1..<(1 + random.below(3)) {
            row.attempts.append(
                SpanAttempt(
                    number: number, model: "openai/gpt", failure: optional { $0.pick(["timeout", "lost"]) },
                    began: row.time, ended: row.time + random.below(100)))
        }
    }

    private mutating func optional<Value>(_ make: (inout SeededRandom) -> Value) -> Value? {
        random.chance(oneIn: 3) ? nil : make(&random)
    }

    /// A filter of some random conditions.
    package mutating func filter() -> RequestFilter {
        var filter = RequestFilter()
        if random.chance(oneIn: 3) { filter.from = Self.start + random.below(span) }
        if random.chance(oneIn: 3) { filter.to = (filter.from ?? Self.start) + random.below(span) + 1 }
        for _ in 0..<random.below(4) { filter.conditions.append(.init(field(), test())) }
        if random.chance(oneIn: 4) {
            filter.statuses.append(
                .init(
                    random.pick([[500...599], [429...429], [200...299, 404...404], [100...199]]),
                    isNegated: random.chance(oneIn: 3)))
        }
        if random.chance(oneIn: 4) {
            filter.bounds.append(
                .init(
                    random.pick(RequestNumber.allCases), random.pick(RequestFilter.Comparison.allCases),
                    value: Double(random.below(200))))
        }
        return filter
    }

    package mutating func field() -> RequestField {
        random.chance(oneIn: 2)
            ? .metadata(UTF8Text(random.pick(Self.keys + ["unknown"])))
            : .known(random.pick(RequestField.Known.allCases))
    }

    private mutating func test() -> RequestFilter.Test {
        let text = random.pick(Self.texts + Self.models + ["r1", "search", "429", "succeeded", "/embeddings", "never"])
        switch random.below(7) {
        case 0, 1: return .anyOf([UTF8Text(text)])
        case 2: return .anyOf([UTF8Text(text), UTF8Text(random.pick(Self.texts))])
        case 3: return .noneOf([UTF8Text(text)])
        case 4: return .contains(String(text.prefix(2)))
        case 5: return .startsWith(String(text.prefix(2)))
        default: return random.chance(oneIn: 2) ? .present : .absent
        }
    }
}
