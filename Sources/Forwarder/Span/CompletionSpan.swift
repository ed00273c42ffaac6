internal import Common
internal import JSON
internal import Policies
internal import Upstream

/// The facts about one completion while its call runs, and the span that is made of them.
///
/// Nothing of the request is copied: this shares the bytes that are sent, and reads them when the span is written. It
/// is a class, so that each frame of the call's task holds a reference, not half a kilobyte. No other task has it.
final class CompletionSpan {
    let insertionID: InsertionID
    /// Nil for a request that belongs to no rollout, which the request log alone knows.
    let rollout: RolloutIDs?
    let project: String
    let account: String?
    /// The model that the client asked for, with the provider's prefix.
    let modelAsked: String?
    let traceparent: String?
    /// The request's metadata beside the ids.
    let metadata: [ResolvedMetadata.Entry]
    /// The operator's rules that decided about the job.
    let rules: JobRules
    /// The targets to which the operator's rules send the job.
    private let steps: [Route.Step]
    private(set) var body: [UInt8]
    private var keys: [SecretString]
    private let textBytes: Int
    private let isCompact: Bool
    /// The shown part of request and answer. A span that withholds it has no bytes of the request either.
    private(set) var content: SpanContent
    var provider: String?
    /// The model's name as the provider gets it.
    var model: String?
    /// Whether the call was made again after the provider may have taken it.
    var isRepeated = false
    /// The failed calls before the present one.
    private(set) var failedAttempts: [FailedAttempt] = []
    /// The last call: `provider/model`, and when it was made.
    private(set) var lastCall: (model: String, began: Timestamp)?
    /// Whether the call counts on limits on tokens and may have reached the provider.
    var countsTokens = false
    private var answer: ResponseCollector?
    /// The usage that the provider states for the completion; known once the span is written.
    private(set) var usage: TokenUsage?
    /// The request log's further data; nil where nothing logs requests.
    var summary: RequestSummary?
    /// Whether the span is for the request log alone.
    private(set) var isRecord = false

    /// Nil for a job that belongs to no rollout, which has no span.
    /// - Parameters:
    ///   - job: with its body still in it.
    ///   - textBytes: the most bytes of the input and of the output, each (`SPAN_TEXT_BYTES`).
    ///   - isCompact: whether the span is written as a ``SpanRecord``, and not as OTLP/JSON.
    ///   - content: the shown part of request and answer.
    ///   - isLogged: whether the request log reads it.
    convenience init?(
        _ job: Job, textBytes: Int = SpanLimits.spanText, isCompact: Bool = true, content: SpanContent = .whole,
        isLogged: Bool = false
    ) {
        guard job.rollout != nil, job.path == Provider.chatCompletions else { return nil }
        self.init(of: job, textBytes: textBytes, isCompact: isCompact, content: content, isLogged: isLogged)
    }

    /// The record of a request that has no span, for the request log. It has no bodies.
    convenience init(recordOf job: Job) {
        self.init(of: job, textBytes: SpanLimits.spanText, isCompact: true, content: .withheld, isLogged: true)
        isRecord = true
    }

    private init(of job: Job, textBytes: Int, isCompact: Bool, content: SpanContent, isLogged: Bool) {
        insertionID = job.insertionID
        rollout = job.rollout
        summary = isLogged ? RequestSummary(job) : nil
        project = job.project
        account = job.account
        modelAsked = job.model
        let parent = job.headers.first(named: "traceparent")
        traceparent = content.isWithheld && !(parent.map(Self.isTraceparent) ?? true) ? nil : parent
        metadata = job.metadata.entries
        rules = job.rules
        steps = job.route.steps
        self.textBytes = textBytes
        self.isCompact = isCompact
        self.content = content
        body = content.isWithheld ? [] : job.body
        keys = job.clientKey.map { [$0] } ?? []
    }

    /// Whether a header has the form of W3C's trace context: anything else may be a text of the client's.
    private static func isTraceparent(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [2, 32, 16, 2]
            && parts.allSatisfy { $0.utf8.allSatisfy { $0.hexValue != nil } }
    }

    /// Keeps the span for the request log alone, since another program traces the completion. It loses the bodies.
    func becomeRecord() {
        (isRecord, content, body) = (true, .withheld, [])
    }

    /// Notes the call that will be made. From here on only the bytes of that request are held.
    func recordRequest(_ target: Target) {
        if !content.isWithheld { body = target.request.body }
        provider = target.provider
        model = target.model
        // The server's key must not be quoted either. The header that holds it is never one that the client chose.
        for header in target.request.headers where !ForwardedHeaders.isForwarded(header.name) {
            keys.append(
                SecretString(header.value.hasPrefix("Bearer ") ? String(header.value.dropFirst(7)) : header.value))
        }
    }

    /// Notes that a call is made.
    /// - Parameters:
    ///   - model: `provider/model`.
    ///   - time: now.
    ///   - failures: the calls before.
    func recordCall(_ model: String, at time: Timestamp, after failures: [FailedAttempt]) {
        lastCall = (model, time)
        failedAttempts = failures
        answer = nil
        summary?.calls(model, at: time, of: steps)
    }

    /// Notes that no call runs until the next one is made.
    /// - Parameter failures: the calls so far.
    func recordPause(after failures: [FailedAttempt]) {
        (lastCall, failedAttempts, answer) = (nil, failures, nil)
    }

    /// Notes the head of the answer. A call that is made again begins anew.
    func recordHead(_ head: UpstreamHead) { answer = ResponseCollector(head: head, textBytes: textBytes) }

    /// Notes a piece of the answer's body, as the provider sent it.
    /// - Parameter time: now; asked for when the first part of a streamed message is in the piece.
    func take(_ piece: [UInt8], at time: @autoclosure () -> Timestamp = Timestamp.now) {
        summary?.responseBytes += piece.count
        answer?.take(piece, at: time())
    }
}

extension CompletionSpan {
    /// The span of a call that was answered, with any status.
    /// - Parameters:
    ///   - failure: the reason why an answer with a status of success failed; nil if it did not.
    ///   - time: when the answer ended.
    func answered(_ failure: CompletionFailure? = nil, at time: Timestamp = .now) -> [UInt8] {
        guard let answer else { return write(CollectedResponse(), failure: nil, status: nil, end: time) }
        let collected = answer.collected()
        guard (200..<300).contains(answer.status) else {
            let message = "HTTP \(answer.status): \(collected.error ?? "")"
            return write(
                CollectedResponse(), failure: (message, String(answer.status)), status: answer.status, end: time)
        }
        // The part that came of a failed answer stands beside the error.
        return write(
            collected, failure: failure.map { ($0.message, $0.code.rawValue) }, status: answer.status, end: time)
    }

    /// The span of a call that ended with an error of the gateway. The part of its answer that came before stands
    /// beside the error.
    func failed(_ error: GatewayError, at time: Timestamp = .now) -> [UInt8] {
        summary?.fails(with: error, hasAnswer: answer != nil)
        let hasOutput = answer.map { (200..<300).contains($0.status) } ?? false
        let collected = hasOutput ? answer?.collected() : nil
        return write(
            collected ?? CollectedResponse(), failure: (error.message, error.code), status: answer?.status, end: time)
    }

    private func write(
        _ answer: CollectedResponse, failure: (message: String, type: String)?, status: Int?, end: Timestamp
    ) -> [UInt8] {
        usage = answer.usage
        let hasOutput = !answer.output.isEmpty
        let answer = content.isWithheld ? answer.withoutContent : answer
        let secrets = SecretRedactor(keys)
        let redactor = secrets.of(content)
        let metadata = shownMetadata(secrets)
        let request = SpanRequest(body: body, metadata: traceMetadata(metadata), redactor: redactor)
        let output = answer.output.isEmpty ? nil : redactor.clean(text: ByteSlice.joined(answer.output))
        let name = request.spanName.map { ByteSlice($0).prefix(SpanLimits.value).text } ?? "litellm_request"
        var writer = SpanWriter(
            insertionID, name: name, end: end, redactor: secrets,
            capacity: 4096 + min(body.count, textBytes) + min(output?.count ?? 0, textBytes))
        writeIdentity(&writer, request: request, metadata: metadata)
        writeModels(&writer, request: request, answer: answer)
        writeUsage(&writer, answer.usage)
        if !answer.others.isEmpty {
            writer.text(.responseMetadata, [redactor.clean(text: ByteSlice(answer.others.json))])
        }
        if let firstToken = self.answer?.firstToken, failure == nil || hasOutput {
            writer.string(.firstToken, firstToken.iso8601, isClean: true)
        }
        writer.integer(.status, status)
        writeSummary(&writer, status)
        // The room for input and output is known once all else but the end is written.
        let texts = SpanTexts(
            input: request.input, messages: request.messages, output: output, limit: textBytes,
            room: room(beside: writer, request, output))
        if !content.isWithheld { writer.text(.input, texts.input) }
        if let output = texts.output { writer.text(.output, [output]) }
        let notes = [answer.note, request.note, texts.note].compactMap(\.self)
        let message = failure.map { failure in
            // A provider's error may quote the request. The kind of the error quotes nothing.
            content.isWithheld
                ? "The message of `\(failure.type)` is withheld."
                : Redaction(keys).clean(redactor.redacted(failure.message))
        }
        if let failure {
            writer.string(.level, "ERROR")
            writer.string(.statusMessage, message, limit: .max, isClean: true)
            writer.string(.errorType, failure.type)
        } else if !notes.isEmpty {
            writer.string(.level, "WARNING")
            writer.string(.statusMessage, notes.joined(separator: " "))
        }
        if let message { writer.fail(message) }
        writeAttempts(&writer, end: end, failure: failure?.type)
        guard !redactor.isExhausted else {
            (self.content, self.body) = (.withheld, [])
            return write(answer, failure: failure, status: status, end: end)
        }
        return isCompact ? writer.bytes : (try? SpanRecord(writer.bytes))?.otlp ?? writer.bytes
    }

    /// Bytes that input and output may take together, written as JSON strings for a trace store that speaks OTLP.
    private func room(beside writer: SpanWriter, _ request: SpanRequest, _ output: ByteSlice?) -> Int {
        let limit = SpanLimits.span(textBytes: textBytes) - SpanLimits.ending
        let texts = request.input.reduce(output?.count ?? 0) { $0 + $1.count }
        // At worst each byte takes six, and each attribute takes its name. A span that is far from the limit need not
        // be written to know.
        guard 6 * (texts + writer.bytes.count) + SpanLimits.ending > limit else {
            return limit - 6 * writer.bytes.count - SpanLimits.ending
        }
        return limit - ((try? SpanRecord(writer.bytes))?.otlp.count ?? 0)
    }
}

extension CompletionSpan {
    /// Writes the identity of the completion.
    func writeIdentity(
        _ writer: inout SpanWriter, request: SpanRequest, metadata: [ResolvedMetadata.Entry]
    ) {
        writer.string(.type, "generation", isClean: true)
        writer.string(.traceName, request.traceName ?? "litellm-acompletion")
        let ids = rollout?.tags(insertionID: insertionID) ?? []
        writer.strings(.tags, tags(request, metadata, before: ids), then: ids)
        writer.string(.session, rollout?.rollout, isClean: true)
        writer.string(.user, request.user)
        writer.text(.traceMetadata, [request.metadataText])
        writeOrigins(&writer, metadata)
        writer.string(.insertionID, insertionID.description, isClean: true)
        writer.string(.project, project, isClean: true)
        writer.string(.account, account, isClean: true)
        writer.string(.provider, provider)
        writer.string(.modelAsked, modelAsked)
        writer.string(.traceparent, traceparent)
        writer.string(.contentMetadata, content.word, isClean: true)
        // Written once more as metadata, since Langfuse's newer servers keep no attribute that they do not know.
        if isRepeated {
            writer.string(.possiblyPaidTwice, "true", isClean: true)
            writer.string(.possiblyPaidTwiceMetadata, "true", isClean: true)
        }
        if !rules.hash.isEmpty { writer.string(.rulesHashMetadata, rules.hash, isClean: true) }
        if !rules.limits.isEmpty { writer.string(.rateLimitsMetadata, rules.limits.joined(separator: ", ")) }
        if !failedAttempts.isEmpty {
            let attempts = failedAttempts.map { "\($0.model): \($0.failure.word)" }
            writer.string(.failedAttemptsMetadata, attempts.joined(separator: ", "))
        }
    }

    /// Writes the model and its parameters, by Langfuse's names and by OpenTelemetry's conventions for generative AI.
    func writeModels(_ writer: inout SpanWriter, request: SpanRequest, answer: CollectedResponse) {
        // Each of them stands in several places, and is searched for secrets once.
        let provider = provider.map(writer.redactor.clean)
        let requested = (model ?? modelAsked).map(writer.redactor.clean)
        let answered = answer.model.map(writer.redactor.clean)
        writer.string(.model, answered ?? requested, isClean: true)
        if let parameters = request.parametersText { writer.text(.modelParameters, [parameters]) }
        writer.string(.operation, "chat", isClean: true)
        writer.string(.providerName, provider, isClean: true)
        writer.string(.system, provider, isClean: true)
        writer.string(.requestModel, requested, isClean: true)
        writer.string(.responseModel, answered, isClean: true)
        writer.string(.responseID, answer.id)
        writer.strings(.finishReasons, SpanLimits.first(of: answer.finishReasons))
        // A cut text would be no list any longer.
        let reasons = FinishReasons.text(answer.finishReasons).flatMap { $0.utf8.count > SpanLimits.value ? nil : $0 }
        writer.string(.finishReasonsMetadata, reasons)
        writer.double(.temperature, request.numbers["temperature"])
        writer.double(.topP, request.numbers["top_p"])
        writer.double(.topK, request.numbers["top_k"])
        writer.double(.frequencyPenalty, request.numbers["frequency_penalty"])
        writer.double(.presencePenalty, request.numbers["presence_penalty"])
        writer.integer(
            .maxTokens, (request.numbers["max_completion_tokens"] ?? request.numbers["max_tokens"]).flatMap(Int.init))
        writer.integer(.seed, request.numbers["seed"].flatMap(Int.init))
        writer.integer(.choiceCount, request.numbers["n"].flatMap(Int.init).flatMap { $0 == 1 ? nil : $0 })
    }

    /// Writes the further data of the request log.
    /// - Parameter status: the provider's.
    func writeSummary(_ writer: inout SpanWriter, _ status: Int?) {
        guard var summary else { return }
        if summary.status == 0 { summary.status = status ?? 0 }
        writer.text(.request, [ByteSlice(summary.json)])
    }

    func writeUsage(_ writer: inout SpanWriter, _ usage: TokenUsage?) {
        guard let usage else {
            if countsTokens { writer.string(.tokensEstimatedMetadata, "true", isClean: true) }
            return
        }
        let details = usage.details.map { "\"\($0.name)\":\($0.count)" }.joined(separator: ",")
        writer.string(.usageDetails, "{\(details)}", isClean: true)
        writer.integer(.inputTokens, usage.input)
        writer.integer(.outputTokens, usage.output)
        writer.integer(.cachedTokens, usage.cached)
    }

    /// Writes the calls, if there were several. The last one's answer is the completion's.
    /// - Parameters:
    ///   - end: when the completion ended.
    ///   - failure: the kind of its failure; nil if it did not fail.
    func writeAttempts(_ writer: inout SpanWriter, end: Timestamp, failure: String?) {
        guard !failedAttempts.isEmpty else { return }
        for (index, attempt) in failedAttempts.enumerated() {
            writer.add(
                SpanAttempt(
                    number: index + 1, model: attempt.model, failure: attempt.failure.word, began: attempt.began,
                    ended: attempt.ended))
        }
        guard let lastCall else { return }
        writer.add(
            SpanAttempt(
                number: failedAttempts.count + 1, model: lastCall.model, failure: failure, began: lastCall.began,
                ended: end))
    }
}

extension CompletionSpan {
    /// The metadata without secrets: an entry with a secret's name is left out, and text that looks like a secret is
    /// replaced.
    func shownMetadata(_ redactor: SecretRedactor) -> [ResolvedMetadata.Entry] {
        ShownText.metadata(metadata, clean: redactor.clean)
    }

    /// The ids and the metadata as the trace's metadata. The body's values under the same names count less.
    func traceMetadata(_ metadata: [ResolvedMetadata.Entry]) -> SpanObject {
        var object = SpanObject()
        object.add("insertion_id", insertionID.description)
        object.add("project_id", project)
        for (name, value) in rollout?.metadata ?? [] { object.add(name, value) }
        for entry in metadata { object.add(entry.key, entry.value) }
        return object
    }

    /// The tags of the body and of the metadata, each once. Behind them come the ids.
    func tags(_ request: SpanRequest, _ metadata: [ResolvedMetadata.Entry], before ids: [String]) -> [String] {
        guard !(request.tags.isEmpty && metadata.isEmpty) else { return [] }
        // A LiteLLM proxy gets the ids as tags too. They shall not be written twice.
        var seen = Set(ids.map { Array($0.utf8) })
        let tags = request.tags + SpanLimits.first(of: metadata.map(\.tag))
        return tags.filter { seen.insert(Array($0.utf8)).inserted }
    }

    /// Writes an object of the metadata's keys with their sources.
    func writeOrigins(_ writer: inout SpanWriter, _ metadata: [ResolvedMetadata.Entry]) {
        guard !metadata.isEmpty else { return }
        var origins = SpanObject()
        for entry in metadata { origins.add(entry.key, entry.origin.name) }
        writer.text(.metadataOrigins, [origins.piece])
    }
}
