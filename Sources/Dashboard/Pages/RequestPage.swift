internal import Common
internal import JSON

/// One completion: its facts, its way, its metadata, and its messages where they are traced.
struct RequestPage {
    struct Fact {
        var factName: String
        var factValue: String
        var factLink: String?
    }

    struct Entry {
        var entryName: String
        var entryValue: String
        var entryOrigin: String
        var entryLink: String
    }

    struct View {
        var requestID: String
        var requestTime: String
        var requestISO: String
        var requestOutcome: String
        var requestTone: String
        var requestStatus: Int
        var requestError: String?
        var requestModel: String
        var facts: [Fact]
        var timeline: TimelineView
        var entries: [Entry]
        var hasEntries: Bool
        var conversation: ConversationView?
        var conversationNote: String?
        var rawJSON: String
        var curl: String
        var curlNote: String
        var listLink: String
    }

    let request: PageRequest
    let id: String

    init(_ request: PageRequest, id: String) {
        self.request = request
        self.id = id
    }

    func contents() async throws(GatewayError) -> Contents {
        let answer = try JSONObject.answer(
            try await request.source.get("/logs/requests/" + PercentEncoding.segment(id), query: nil))
        guard let row = LoggedRequest(answer) else {
            throw GatewayError.invalidRequest(404, code: "request_not_found", "There is no such request.")
        }
        let (conversation, note) = await conversation(of: row)
        let links = request.links
        let view = View(
            requestID: row.id, requestTime: Figures.time(row.time), requestISO: row.time,
            requestOutcome: RequestRowView.words(row.outcome), requestTone: row.tone, requestStatus: row.status,
            requestError: answer.text("error_code"), requestModel: row.model ?? answer.text("path") ?? "",
            facts: facts(row), timeline: TimelineView(row), entries: entries(row), hasEntries: !row.metadata.isEmpty,
            conversation: conversation.map { ConversationView($0) }, conversationNote: note,
            rawJSON: answer.indented(answer.braces), curl: CurlText.of(row, conversation),
            curlNote: CurlText.missing(row, conversation),
            listLink: links.requests())
        return .page(PageContents(title: row.id, section: .requests, template: "request", view: view))
    }

    /// The messages, or why there are none.
    private func conversation(of row: LoggedRequest) async -> (Conversation?, note: String?) {
        guard let rollout = row.rollout else {
            return (nil, "Messages are kept for completions of a rollout: those whose path begins with /rollout_id/.")
        }
        guard row.outcome == "succeeded" else {
            return (nil, "A completion that did not succeed is not among the traces of its rollout.")
        }
        let query = FilterForm.query([
            ("tags", "rollout_id:\(rollout)"), ("insertion_id", row.id), ("fields", "io"),
        ])
        do throws(GatewayError) {
            let answer = try JSONObject.answer(try await request.source.get("/traces/completion", query: query))
            guard let trace = answer.objects("traces").first else {
                return (nil, "The trace store does not show a trace of this completion, or not yet.")
            }
            let found = Conversation(trace)
            return found.messages.isEmpty ? (nil, "The trace of this completion holds no messages.") : (found, nil)
        } catch {
            return (nil, error.message)
        }
    }

    private func facts(_ row: LoggedRequest) -> [Fact] {
        let (object, links) = (row.object, request.links)
        var facts: [Fact] = []
        func add(_ name: String, _ value: String?, link: String? = nil) {
            if let value, !value.isEmpty { facts.append(Fact(factName: name, factValue: value, factLink: link)) }
        }
        func same(_ name: String, _ value: String?) -> String? {
            value.map { links.requests(FilterForm().adding(FilterTerm(name, value: $0)).query) }
        }
        func add(_ name: String, number: String, _ show: (Double) -> String) {
            add(name, object.number(number).map(show))
        }
        add("Rollout", row.rollout, link: row.rollout.map { links.rollout($0) })
        for (name, member) in [
            ("Invocation", "invocation"), ("Experiment", "experiment"), ("Run", "run"), ("Row", "row"),
        ] {
            add(name, object.text(member + "_id"), link: same(member, object.text(member + "_id")))
        }
        add("Model asked for", object.text("model_asked"), link: same("model_asked", object.text("model_asked")))
        add("Model served", object.text("model"), link: same("model", object.text("model")))
        add("Provider", object.text("provider"), link: same("provider", object.text("provider")))
        add("Target", object.text("target"), link: same("target", object.text("target")))
        add("Rules", object.texts("rules").joined(separator: ", "))
        add("Retries", object.number("retries").flatMap { $0 > 0 ? Figures.count($0) : nil })
        add("Account", object.text("account"), link: same("account", object.text("account")))
        add("User", object.text("user"), link: same("user", object.text("user")))
        add("Teams", object.texts("teams").joined(separator: ", "))
        add("Finish reason", object.text("finish_reason"))
        add("Streamed", object.flag("stream").map { $0 ? "yes" : "no" })
        add("Latency", number: "latency_ms", Figures.duration)
        add("First token after", number: "time_to_first_token_ms", Figures.duration)
        add("Between tokens", number: "inter_token_latency_ms", Figures.duration)
        add("Input tokens", number: "input_tokens", Figures.count)
        add("of them cached", number: "cached_tokens", Figures.count)
        add("Output tokens", number: "output_tokens", Figures.count)
        add("of them reasoning", number: "reasoning_tokens", Figures.count)
        add("Cost", number: "cost_usd", Figures.dollars)
        add("Request size", number: "request_bytes", Figures.bytes)
        add("Answer size", number: "response_bytes", Figures.bytes)
        add("Path", object.text("path"))
        return facts
    }

    private func entries(_ row: LoggedRequest) -> [Entry] {
        let origins = row.object.nested("metadata_origins")
        return row.metadata.map { entry in
            Entry(
                entryName: entry.name, entryValue: entry.value, entryOrigin: origins?.text(entry.name) ?? "",
                entryLink: request.links.requests(
                    FilterForm().adding(FilterTerm("metadata." + entry.name, value: entry.value)).query))
        }
    }
}
