/// One call or question of a client, as it stands (sealed) on the stream of its queue.
package struct Job: Sendable, Equatable {
    package var insertionID: InsertionID
    /// The project whose rollouts and traces this belongs to.
    package var project: String
    /// Nil for a call that belongs to no rollout.
    package var rollout: RolloutIDs?
    /// The account that asked, when the gateway authenticates its clients.
    package var account: String?
    /// The person of the account's key.
    package var user: String?
    /// The teams of the account's key.
    package var teams: [String] = []
    package var method: String
    /// The path that is meant for the backend: percent-encoded, beginning with `/`, without the gateway's own prefixes
    /// (`/v1`, project, ids).
    package var path: String
    /// The query, without its `?`, percent-encoded.
    package var query: String?
    /// The client's headers, without those that never travel: the headers that are known to carry a key or metadata,
    /// and those of the connection. Another header may still hold a key. The forwarder decides what of them a provider
    /// sees.
    package var headers: [HeaderField]
    /// The client's own provider key: its bearer, unless that is a key of the gateway, or what another header or the
    /// query carries. Nil: it sent none.
    package var clientKey: SecretString?
    /// The base URL that the client chose (`encoded_base_url`), decoded.
    package var baseURL: String?
    /// The model that body, path or query name, decoded.
    package var model: String?
    /// Whether the body asks for server-sent events.
    package var isStream: Bool
    /// The time at which the client stops waiting.
    package var deadline: Deadline
    /// The Redis stream that takes the answer's frames.
    package var responseKey: String
    /// Bytes of the answer that may be under way to a reader that has not taken them. It is a part of the job, so that
    /// ingress and forwarder never differ about it.
    package var window: Int
    /// Metadata of the request beside the ids of its path.
    package var metadata: ResolvedMetadata
    /// Identifies the client's next request with the same `Idempotency-Key` as this job.
    package var idempotency: Idempotency?
    /// The request's body: its codings are undone, and hooks may have changed it.
    package var body: [UInt8]
    /// The operator's rules that decided about the job.
    package var rules = JobRules()
    /// The targets to which the operator's rules send the call.
    package var route = Route()
    /// The client's wishes for the calls.
    package var options = CallOptions()
    /// The job's charges on rate limits as it is queued. A job off the queue has those that its end corrects.
    package var charges: [RateCharge] = []
    /// The part of body and answer that its trace shows.
    package var logging = ContentLogging.whole
    /// Of a question about the logs, whether the operator asks it.
    package var isOperators = false

    /// Seals a withheld job while it is queued, and its answer. Does not travel within the job.
    package var ownSeal: OwnSeal?

    /// The place to which the answer goes instead if there is no room to keep it. Such a job goes on without its client
    /// only as long as its answer is kept; without room it is cancelled when the client leaves. Nil: a job whose answer
    /// has to be kept is refused then. Does not travel within the job.
    package var placeUnkept: UnkeptPlace?

    /// A place for an answer that is not kept.
    package struct UnkeptPlace: Sendable, Equatable {
        package var responseKey: String
        package var window: Int

        package init(responseKey: String, window: Int) {
            self.responseKey = responseKey
            self.window = window
        }
    }

    /// The job with an answer that is not kept; nil if it has to be.
    package var unkept: Job? {
        placeUnkept.map { place in
            var job = self
            (job.responseKey, job.window, job.placeUnkept) = (place.responseKey, place.window, nil)
            return job
        }
    }

    /// Whether body and answer stand in no trace, log or dead letter.
    package var isWithheld: Bool { logging == .withheld }

    /// The job with a seal of its own, if it is withheld and has none yet.
    package var withOwnSeal: Job {
        guard isWithheld, ownSeal == nil else { return self }
        var job = self
        job.ownSeal = .random()
        return job
    }

    /// Seals and opens the frames of the answer. One that is fetched later, at any ingress, is sealed under the
    /// gateway's key.
    package func answerEnvelope(_ shared: Envelope) -> Envelope {
        isFetchable ? shared : ownSeal?.envelope ?? shared
    }

    /// Whether the answer is kept under the job's own key, where any ingress can fetch it.
    package var isFetchable: Bool { Keys.isResponse(responseKey, of: insertionID) }

    /// The time for which an answer is kept that a client may fetch.
    package static let fetchableLife = Duration.seconds(3600)

    /// The time for which this job's answer is kept under the job's own key.
    package var answerLife: Duration { idempotency == nil ? Self.fetchableLife : Idempotency.life }

    package init(
        insertionID: InsertionID, project: String, rollout: RolloutIDs? = nil, account: String? = nil, method: String,
        path: String,
        query: String? = nil, headers: [HeaderField] = [], clientKey: SecretString? = nil, baseURL: String? = nil,
        model: String? = nil,
        isStream: Bool = false, deadline: Deadline, responseKey: String, window: Int = 1 << 20,
        idempotency: Idempotency? = nil,
        metadata: ResolvedMetadata = ResolvedMetadata(), body: [UInt8] = []
    ) {
        self.insertionID = insertionID
        self.project = project
        self.rollout = rollout
        self.account = account
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.clientKey = clientKey
        self.baseURL = baseURL
        self.model = model
        self.isStream = isStream
        self.deadline = deadline
        self.responseKey = responseKey
        self.window = window
        self.idempotency = idempotency
        self.metadata = metadata
        self.body = body
    }

    /// The job as it is remembered while its call runs: the request that is sent has the body.
    package var withoutBody: Job {
        var job = self
        job.body = []
        return job
    }

    /// The time for which a client still waits for the answer; negative after the deadline.
    package func remaining() -> Duration { deadline.left() }
}

extension Job {
    /// The rollout that the job's completion counts for; nil for a call that belongs to none.
    package var ownRollout: Rollout? { rollout.map { Rollout($0.rollout, project: project) } }
}

extension Job {
    private enum Tag {
        static let insertionID: UInt8 = 1
        static let project: UInt8 = 2
        static let rolloutIDs: UInt8 = 3
        static let account: UInt8 = 4
        static let method: UInt8 = 5
        static let path: UInt8 = 6
        static let query: UInt8 = 7
        static let header: UInt8 = 8
        static let clientKey: UInt8 = 9
        static let baseURL: UInt8 = 10
        static let model: UInt8 = 11
        static let isStream: UInt8 = 12
        static let deadline: UInt8 = 13
        static let responseKey: UInt8 = 14
        static let body: UInt8 = 15
        static let window: UInt8 = 16
        static let idempotencyKey: UInt8 = 17
        static let metadata: UInt8 = 18
        static let charge: UInt8 = 19
        static let route: UInt8 = 20
        static let options: UInt8 = 23
        static let rulesHash: UInt8 = 21
        static let limit: UInt8 = 22
        static let user: UInt8 = 24
        static let team: UInt8 = 25
        static let otherRule: UInt8 = 26
        // 27 to 29 were never used.
        static let withheld: UInt8 = 30
        static let redaction: UInt8 = 31
        static let isOperators: UInt8 = 32
    }

    /// The job as bytes, ready to be sealed.
    package var wireBytes: [UInt8] {
        var writer = WireWriter(reserving: body.count + 512)
        writer.field(Tag.insertionID, insertionID.description)
        writer.field(Tag.project, project)
        if let rollout {
            writer.field(Tag.rolloutIDs, rollout.rollout)
            writer.field(Tag.rolloutIDs, rollout.invocation)
            writer.field(Tag.rolloutIDs, rollout.experiment)
            writer.field(Tag.rolloutIDs, rollout.run)
            writer.field(Tag.rolloutIDs, rollout.row)
        }
        writer.field(Tag.account, account)
        writer.field(Tag.user, user)
        for team in teams { writer.field(Tag.team, team) }
        writer.field(Tag.method, method)
        writer.field(Tag.path, path)
        writer.field(Tag.query, query)
        writer.field(Tag.header, headers)
        writer.field(Tag.clientKey, clientKey?.reveal())
        writer.field(Tag.baseURL, baseURL)
        writer.field(Tag.model, model)
        if isStream { writer.field(Tag.isStream, "") }
        if isOperators { writer.field(Tag.isOperators, "") }
        writer.field(Tag.deadline, deadline.timestamp.milliseconds)
        writer.field(Tag.responseKey, responseKey)
        writer.field(Tag.window, UInt64(clamping: window))
        writer.field(Tag.idempotencyKey, idempotency?.key)
        if !route.isEmpty { writer.field(Tag.route, route.wireBytes) }
        if !options.isEmpty { writer.field(Tag.options, options.wireBytes) }
        if !rules.hash.isEmpty { writer.field(Tag.rulesHash, rules.hash) }
        for limit in rules.limits { writer.field(Tag.limit, limit) }
        for rule in rules.others { writer.field(Tag.otherRule, rule) }
        for charge in charges where charge.isSettled { writer.field(Tag.charge, charge.wireText) }
        for entry in metadata.entries { writer.field(Tag.metadata, entry.wireBytes) }
        switch logging {
        case .whole: break
        case .redacted(let redaction): writer.field(Tag.redaction, redaction.wireBytes)
        case .withheld: writer.field(Tag.withheld, "")
        }
        writer.field(Tag.body, body)
        return writer.bytes
    }

    /// Reads a job from what `wireBytes` wrote.
    package init(wireBytes: [UInt8]) throws(WireError) {
        var reader = WireReader(wireBytes)
        var insertionID: InsertionID?
        var ids: [String] = []
        var deadline: Deadline?
        self.init(
            insertionID: InsertionID(high: 0, low: 0), project: "", method: "", path: "", deadline: .past,
            responseKey: "")
        while let (tag, value) = try reader.next() {
            switch tag {
            case Tag.insertionID: insertionID = InsertionID(try WireReader.string(value))
            case Tag.project: project = try WireReader.string(value)
            case Tag.rolloutIDs: ids.append(try WireReader.string(value))
            case Tag.account: account = try WireReader.string(value)
            case Tag.user: user = try WireReader.string(value)
            case Tag.team: teams.append(try WireReader.string(value))
            case Tag.method: method = try WireReader.string(value)
            case Tag.path: path = try WireReader.string(value)
            case Tag.query: query = try WireReader.string(value)
            case Tag.header: headers.append(try WireReader.header(value))
            case Tag.clientKey: clientKey = SecretString(try WireReader.string(value))
            case Tag.baseURL: baseURL = try WireReader.string(value)
            case Tag.model: model = try WireReader.string(value)
            case Tag.isStream: isStream = true
            case Tag.isOperators: isOperators = true
            case Tag.deadline: deadline = try Deadline(at: Timestamp(milliseconds: WireReader.integer(value)))
            case Tag.responseKey: responseKey = try WireReader.string(value)
            case Tag.window: window = Int(clamping: try WireReader.integer(value))
            case Tag.idempotencyKey: idempotency = Idempotency(key: try WireReader.string(value))
            case Tag.route: route = try Route(wireBytes: value)
            case Tag.options: options = try CallOptions(wireBytes: value)
            case Tag.rulesHash: rules.hash = try WireReader.string(value)
            case Tag.limit: rules.limits.append(try WireReader.string(value))
            case Tag.otherRule: rules.others.append(try WireReader.string(value))
            case Tag.charge:
                if let charge = RateCharge(wireText: try WireReader.string(value)) { charges.append(charge) }
            case Tag.metadata: metadata.add(try ResolvedMetadata.Entry(wireBytes: value))
            case Tag.withheld: logging = .withheld
            case Tag.redaction where logging != .withheld: logging = .redacted(try LogRedaction(wireBytes: value))
            case Tag.body: body = Array(value)
            default: continue
            }
        }
        guard let insertionID, let deadline, !project.isEmpty, !method.isEmpty, !path.isEmpty, !responseKey.isEmpty
        else { throw .missingField }
        guard ids.isEmpty || ids.count == 5 else { throw .badField }
        self.insertionID = insertionID
        self.deadline = deadline
        if ids.count == 5 {
            rollout = RolloutIDs(rollout: ids[0], invocation: ids[1], experiment: ids[2], run: ids[3], row: ids[4])
        }
    }
}
