internal import ArgumentParser
internal import Common

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Lists the requests that the request log has, the newest at the end, and follows it.",
        discussion: """
            `metadata-gateway logs --filter customer-id=customer1 --status 5xx --follow` shows what fails for a \
            customer. `metadata-gateway logs --audit` lists the audit rows instead: what was done to the gateway's rules \
            and keys. Exits with 2 if there is no answer. GATEWAY_API_KEY holds the key of a gateway that asks for one.
            """)

    /// Between two looks of `--follow`.
    private static let pause = Duration.seconds(1)

    @OptionGroup var gateway: GatewayAddress

    @Option(
        help: ArgumentHelp(
            "Only requests with this metadata; repeat it to narrow further. The key may have an operator behind it: "
                + "'customer-id[in]=customer1,customer2'.", valueName: "key=value"))
    var filter: [String] = []

    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Any other filter of GET /v1/logs/requests, such as 'latency[gte]=1000' or user=alice, or of "
                + "GET /v1/logs/audit, such as kind=rules.reloaded.",
            valueName: "name=value"))
    var conditions: [String] = []

    @Option(help: "Only this status, or class of statuses: 429, 5xx.")
    var status: String?

    @Option(help: "Only the requests of this rollout_id.")
    var rollout: String?

    @Option(help: "Only requests that this model served.")
    var model: String?

    @Option(help: "Only requests since then: 30s, 15m, 1h, 7d, or a time of ISO 8601.")
    var since: String?

    @Option(help: "The most requests to list, the newest.")
    var limit = 100

    @Flag(help: "Go on with the requests that end from now on, until Ctrl-C.")
    var follow = false

    @Flag(help: "Print each request as a line of JSON.")
    var json = false

    @Flag(help: "List audit rows instead of requests.")
    var audit = false

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit must be at least 1") }
        if audit, !filter.isEmpty || status != nil || rollout != nil || model != nil {
            throw ValidationError(
                "--filter, --status, --rollout and --model are about requests; use --where with --audit")
        }
        _ = try query
    }

    private var query: LogsQuery {
        get throws {
            var query = LogsQuery()
            for text in filter {
                guard query.add(metadata: text) else {
                    throw ValidationError("--filter `\(text)` must be KEY=VALUE, such as customer-id=customer1")
                }
            }
            for text in conditions {
                guard query.add(condition: text) else {
                    throw ValidationError("--where `\(text)` must be NAME=VALUE, such as 'latency[gte]=1000'")
                }
            }
            for (name, value) in [("status", status), ("rollout_id", rollout), ("model", model)] {
                if let value { query.add(name, value) }
            }
            return query
        }
    }

    func run() async throws {
        if audit { try await list(as: AuditTable()) } else { try await list(as: LogTable()) }
    }

    private func list<Table: RowTable>(as empty: Table) async throws {
        let terminal = Terminal(isQuiet: false)
        let query = try query
        do {
            try await GatewayClient.run(gateway) { client in
                var table = empty
                let reader = LogReader<Table.Row>(client: client, query: query)
                // What is there before the list is none of the news behind it, even where the list leaves it out.
                let before = follow ? try await reader.rows(from: LogFollower.far, atMost: LogFollower.mostRows) : []
                let rows = try await reader.rows(from: since, atMost: limit)
                if !json { terminal.say(table.head(above: rows)) }
                show(rows, in: &table, terminal)
                if follow { try await follow(behind: before + rows, with: reader, in: &table, on: terminal) }
            }
        } catch let failure as GatewayClient.Failure {
            terminal.fail(failure.description.escapedForTerminal)
            throw ExitCode(2)
        }
    }

    /// Shows rows as they come. What may pass does not end it.
    private func follow<Table: RowTable>(
        behind rows: [Table.Row], with reader: LogReader<Table.Row>, in table: inout Table, on terminal: Terminal
    ) async throws {
        var progress = LogFollower(known: rows, now: .now)
        while true {
            try await Task.sleep(for: Self.pause)
            let window = progress.nextWindow(at: .now)
            do throws(GatewayClient.Failure) {
                let found = try await reader.rows(from: window, atMost: LogFollower.mostRows)
                show(progress.news(in: found, at: .now), in: &table, terminal)
            } catch {
                guard error.mayPass else { throw error }
                terminal.fail(error.description.escapedForTerminal)
            }
        }
    }

    /// - Parameter rows: the newest first.
    private func show<Table: RowTable>(_ rows: [Table.Row], in table: inout Table, _ terminal: Terminal) {
        table.makeRoom(for: rows)
        for row in rows.reversed() { terminal.say(json ? row.json : table.line(row)) }
    }
}
