/// One call that a client asked for, as it stands (sealed) on the job stream.
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
    /// The client's headers that may go on to a provider. Holds no key.
    package var headers: [HeaderField]
    /// The client's own provider key. Nil when the bearer is a key of the gateway, which no provider may see.
    package var clientKey: SecretString?
    /// The base URL that the client chose (`encoded_base_url`), decoded.
    package var baseURL: String?
    /// The body's `model`, decoded.
    package var model: String?
    /// Whether the body asks for server-sent events.
    package var isStream: Bool
    /// The time at which the client stops waiting.
    package var deadline: Deadline
    /// The Redis stream that takes the answer's frames.
    package var responseKey: String
    /// Bytes of the answer that may be under way to a reader that has not taken them. In the job, so that ingress and
    /// forwarder never differ about it.
    package var window: Int
    /// Metadata of the request beside the ids of its path.
    package var metadata: ResolvedMetadata
    /// Identifies the client's next request with the same `Idempotency-Key` as this job.
    package var idempotency: Idempotency?
    /// The request's body, byte for byte as it came.
    package var body: [UInt8]
    /// The operator's rules that decided about it.
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

    /// The place of the answer of a job that goes on without its client, where there is no room to keep it: the call
    /// is then its client's alone. Nil: the answer is kept, or the job is refused. Does not travel within the job.
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
