/// Figures of the gateway as it is now, for the overview. Each leads to the page of the queue.
struct GatewayTiles {
    let answer: QueueResponse
    let link: String

    var tiles: [OverviewPage.Tile] { [waiting, inFlight, workers, outbox, memory, traceStore] }

    private func tile(_ name: String, _ value: String, note: String, tone: String = "") -> OverviewPage.Tile {
        OverviewPage.Tile(
            tileName: name, tileValue: value, tileNote: note, tileLink: link, tileTone: tone, spark: nil,
            sparkColour: "")
    }

    private func number(_ name: String) -> Double { answer.figure(name) ?? 0 }

    private var waiting: OverviewPage.Tile {
        let stream = answer.stream("completions")
        let age = stream?.age.map { "the oldest for \(Figures.duration($0))" } ?? "nothing waits"
        let isFull = number("gateway_jobs") >= answer.figure("gateway_jobs_limit") ?? .infinity
        return tile(
            "Queue", stream?.waiting.map(Figures.compact) ?? "–", note: isFull ? "full (QUEUE_LIMIT)" : age,
            tone: isFull ? "bad" : "")
    }

    private var inFlight: OverviewPage.Tile {
        tile(
            "In flight", Figures.compact(answer.stream("completions")?.pending ?? 0),
            note: "\(Figures.bytes(number("gateway_jobs_bytes"))) of requests")
    }

    private var workers: OverviewPage.Tile {
        let (forwarders, verifiers) = (number("gateway_forwarders"), number("gateway_verifiers"))
        return tile(
            "Forwarders", Figures.count(forwarders),
            note: "\(Figures.count(verifiers)) verifier\(verifiers == 1 ? "" : "s")", tone: forwarders == 0 ? "bad" : ""
        )
    }

    private var outbox: OverviewPage.Tile {
        let (waiting, most) = (number("gateway_trace_outbox_bytes"), answer.figure("gateway_trace_outbox_limit_bytes"))
        return tile(
            "Outbox", Figures.bytes(waiting),
            note: "\(Figures.bytes(number("gateway_request_log_waiting_bytes"))) wait for the log",
            tone: waiting >= most ?? .infinity ? "bad" : "")
    }

    private var memory: OverviewPage.Tile {
        let most = number("gateway_redis_maxmemory_bytes")
        let used = answer.figure("gateway_redis_used_memory_bytes")
        return tile(
            "Redis memory", used.map(Figures.bytes) ?? "–",
            note: most > 0 ? "of \(Figures.bytes(most))" : "without a bound",
            tone: most > 0 && used ?? 0 >= most * 0.9 ? "bad" : "")
    }

    private var traceStore: OverviewPage.Tile {
        let refuses = number("gateway_trace_store_refuses") > 0
        let letters = number("gateway_dead_letters")
        return tile(
            "Trace store", refuses ? "refuses" : "takes traces",
            note: "\(Figures.count(letters)) dead letter\(letters == 1 ? "" : "s")", tone: refuses ? "bad" : "")
    }
}
