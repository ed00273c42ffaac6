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
