internal import Common
internal import JSON

/// The work that waits: streams, their workers, and jobs that were given up.
struct QueuePage {
    struct StreamRow {
        var streamName: String
        var streamKey: String
        var streamLength: String
        var streamAge: String
        var groupName: String
        var groupLag: String
        var groupPending: String
        var groupWorkers: String
    }

    struct WorkerRow {
        var workerName: String
        var workerStream: String
        var workerPending: String
        var workerIdle: String
        var workerTone: String
        var workerState: String
    }

    struct LetterRow {
        var letterISO: String
        var letterTime: String
        var letterReason: String
        var letterRequest: String?
        var letterLink: String?
        /// Of a letter whose project is no longer there.
        var otherProject: String?
        var letterModel: String
        var letterSize: String
        /// The addresses of the operator's forms; nil: there are none.
        var requeueLink: String?
        var deleteLink: String?
        /// The reason why it is not queued again.
        var letterRefusal: String?
        var formToken: String
    }

    struct View {
        var streams: [StreamRow]
        var workers: [WorkerRow]
        var hasWorkers: Bool
        var moreWorkers: String?
        var letters: [LetterRow]
        var hasLetters: Bool
        var letterCount: String
        var mayAct: Bool
        /// The action that was done just now, and the job that came of it.
        var notice: String?
        var noticeID: String?
        var noticeLink: String?
        var isLater: Bool
        var newestLink: String
        var olderLink: String?
    }

    private static let names = [
        "completions": "Completions", "verifications": "Questions about rollouts", "queries": "Questions about the log",
        "traces": "Traces of this project", "requests": "Records for the log",
    ]

    private static let notices: [UTF8Text: String] = [
        "requeued": "The job is queued again.", "deleted": "The dead letter is deleted.",
    ]

    let request: PageRequest

    init(_ request: PageRequest) { self.request = request }

    func contents() async throws(GatewayError) -> Contents {
        let links = request.links
        let answer = try QueueResponse(try await request.source.get("/queue", query: nil))
        let before = request.query.value("before")
        let found = try JSONObject.answer(
            try await request.source.get(
                "/queue/dead", query: before.map { FilterForm.query([("before", $0)]) }))
        let workers = answer.streams.flatMap { stream in
            stream.groups.flatMap { group in group.workers.map { Self.row($0, of: group, on: stream) } }
        }
        let left = answer.streams.flatMap(\.groups).reduce(0) { $0 + $1.workerCount - Double($1.workers.count) }
        let letters = found.objects("letters").map { LetterRow($0, in: request) }
        let done = request.query.value("done")
        // Only what is an id is shown: anyone may send a person here with a query.
        let id = request.query.value("id").flatMap { InsertionID($0)?.description }
        let view = View(
            streams: answer.streams.flatMap(Self.rows), workers: workers, hasWorkers: !workers.isEmpty,
            moreWorkers: left > 0 ? "and \(Figures.count(left)) more" : nil, letters: letters,
            hasLetters: !letters.isEmpty,
            letterCount: Figures.count(answer.figure("gateway_dead_letters") ?? Double(letters.count)),
            mayAct: request.formToken != nil, notice: done.flatMap { Self.notices[UTF8Text($0)] },
            noticeID: done == "requeued" ? id : nil, noticeLink: id.map { links.request($0) },
            isLater: before != nil, newestLink: links.queue(),
            olderLink: found.text("next").map { links.queue(FilterForm.query([("before", $0)])) })
        return .page(
            PageContents(
                title: "Queue", section: .queue, template: "queue", view: view, refresh: before == nil ? 5 : nil))
    }

    private static func name(_ stream: QueueResponse.Stream) -> String { names[stream.name] ?? stream.name }

    /// A line for each group; one without groups has a line too.
    private static func rows(_ stream: QueueResponse.Stream) -> [StreamRow] {
        var row = StreamRow(
            streamName: name(stream), streamKey: stream.key, streamLength: Figures.count(stream.length),
            streamAge: stream.age.map(Figures.duration) ?? "–", groupName: "–", groupLag: "–", groupPending: "–",
            groupWorkers: "–")
        guard !stream.groups.isEmpty else { return [row] }
        return stream.groups.map { group in
            row.groupName = group.name
            row.groupLag = group.lag.map(Figures.count) ?? "–"
            row.groupPending = Figures.count(group.pending)
            row.groupWorkers = Figures.count(group.workerCount)
            return row
        }
    }

    private static func row(
        _ worker: QueueResponse.Worker, of group: QueueResponse.Group, on stream: QueueResponse.Stream
    ) -> WorkerRow {
        let (tone, state) =
            switch worker.isAlive {
            case true?: ("good", "alive")
            // Without a word of life it has stopped; what it was given is taken over.
            case false?: (worker.pending > 0 ? "bad" : "quiet", "gone")
            case nil: ("quiet", "–")
            }
        return WorkerRow(
            workerName: worker.name, workerStream: "\(name(stream)) · \(group.name)",
            workerPending: Figures.count(worker.pending), workerIdle: Figures.duration(worker.idle), workerTone: tone,
            workerState: state)
    }
}

extension QueuePage.LetterRow {
    /// - Parameter object: one of `/queue/dead`.
    init(_ object: JSONObject, in request: PageRequest) {
        let (links, token) = (request.links, request.formToken)
        let entry = object.text("entry") ?? ""
        otherProject = object.text("project_id").flatMap { $0 == request.project ? nil : $0 }
        letterRefusal = object.text("refusal")
        deleteLink = token.map { _ in links.delete(entry) }
        requeueLink = letterRefusal == nil ? token.map { _ in links.requeue(entry) } : nil
        formToken = token?.text ?? ""
        letterISO = object.text("time") ?? ""
        letterTime = Figures.time(letterISO)
        letterReason = object.text("reason") ?? ""
        letterRequest = object.text("insertion_id")
        letterLink = letterRequest.map { links.request($0) }
        letterModel = object.text("model") ?? object.text("path") ?? "–"
        letterSize = Figures.bytes(object.number("bytes") ?? 0)
    }
}
