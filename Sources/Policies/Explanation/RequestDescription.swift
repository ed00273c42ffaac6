package import Common
internal import JSON

/// A described request, of which the rules' decision is asked for: a JSON object.
package struct RequestDescription: Sendable {
    /// The sender of the request.
    package enum Sender: Sendable, Equatable {
        /// A client without a key, or the one that asks.
        case own
        /// The client with a key, by the key's id in the file of the clients' keys.
        case key(id: String)
        case account(String, user: String?, teams: [String])
    }

    /// As the request would name it.
    package private(set) var model: String?
    /// The metadata that its headers would carry.
    package private(set) var carried = ResolvedMetadata()
    /// The switch with which it would keep itself out of the traces; nil if none does.
    package private(set) var denial: LoggingSwitch.Carrier?
    package private(set) var rollout: RolloutIDs?
    /// Whether the client chooses the server.
    package private(set) var hasBaseURL = false
    /// The request's own body, by which tokens are estimated; empty if it is not given.
    package private(set) var body: [UInt8] = []
    package private(set) var sender = Sender.own

    /// Reads a description.
    /// - Parameters:
    ///   - headers: those that are read beside `X-TFY-METADATA`.
    ///   - namesSender: whether it may say who sends the request. If not, the one that asks does.
    ///   - maximumDepth: the depth to which arrays and objects may nest.
    /// - Throws: 400 naming the member at fault, and what repairs it.
    package init(
        _ bytes: [UInt8], headers: [MetadataHeader], namesSender: Bool, maximumDepth: Int
    ) throws(GatewayError) {
        let reader = try DescriptionReader(bytes, namesSender: namesSender, maximumDepth: maximumDepth)
        (carried, denial) = try reader.metadata(headers)
        let path = try reader.path()
        if case .rollout(let ids, let url) = path?.route { (rollout, hasBaseURL) = (ids, url != nil) }
        body = try reader.body()
        model = try reader.model(body: body, path: path)
        sender = try reader.sender()
    }
}

/// Takes a description apart, member by member.
private struct DescriptionReader {
    private static let senders = ["key", "account", "user", "teams"]
    private static let known = ["model", "metadata", "headers", "path"] + MetadataLimits.pathIDs + ["body"]

    private let object: JSONObject
    private let maximumDepth: Int

    init(_ bytes: [UInt8], namesSender: Bool, maximumDepth: Int) throws(GatewayError) {
        self.maximumDepth = maximumDepth
        do throws(JSONScanError) {
            object = try JSONObject.scan(bytes, maximumDepth: maximumDepth)
        } catch {
            throw error.gatewayError
        }
        let known = Self.known + (namesSender ? Self.senders : [])
        for member in object.members {
            guard let name = object.name(of: member), !known.contains(name) else { continue }
            if Self.senders.contains(name) {
                throw Self.error(name, "cannot be chosen here: a request is explained as yours. Leave it out.")
            }
            let hint = SpellingSuggestion.nearest(to: name, among: known).map { " Did you mean `\($0)`?" } ?? ""
            throw Self.error(
                MetadataLimits.shown(name), "is not known.\(hint) Known: \(MetadataViolation.list(known)).")
        }
    }

    /// The metadata that headers would carry, and the switch of logging that says no.
    func metadata(
        _ headers: [MetadataHeader]
    ) throws(GatewayError) -> (metadata: ResolvedMetadata, denial: LoggingSwitch.Carrier?) {
        var (carried, isOff) = (CarriedMetadata(), false)
        if let member = try member("metadata", .object) {
            do throws(GatewayError) {
                try carried.add(String(decoding: object.bytes[member.value], as: UTF8.self))
            } catch {
                throw Self.error("metadata", "would be refused in a request's header. \(error.message)")
            }
        }
        var (hasOwn, hasSwitch) = (object.member("metadata") != nil, false)
        let given = try member("headers", .object).map(fields)
        for (name, value) in given ?? [] {
            let param = "headers.\(MetadataLimits.shown(name))"
            if name.equalsIgnoringASCIICase(CarriedMetadata.header) {
                guard !hasOwn else { throw Self.error(param, "gives the metadata a second time. Give it once.") }
                hasOwn = true
                try carried.add(value)
            } else if let header = MetadataHeader.allCases.first(where: { CarriedMetadata.isCarrier(name, of: $0) }) {
                guard headers.contains(header) else {
                    throw Self.error(param, "is not read here. Leave it out, or have METADATA_HEADERS name it.")
                }
                try carried.add(value, named: name, of: header)
            } else if name.equalsIgnoringASCIICase(LoggingSwitch.header) {
                guard !hasSwitch else { throw Self.error(param, "gives the switch a second time. Give it once.") }
                hasSwitch = true
                isOff = try !LoggingSwitch.read(value)
            } else {
                throw Self.error(param, "carries no metadata. Leave it out.")
            }
        }
        return (carried.metadata, isOff ? .header : carried.wishesLog ? nil : .metadata)
    }

    /// The path, or what it would be with the ids that are given.
    func path() throws(GatewayError) -> GatewayPath? {
        let given = MetadataLimits.pathIDs.filter { object.member($0) != nil }
        if let path = try text("path") {
            if let id = given.first { throw Self.error(id, "stands in `path` already. Give one of the two.") }
            let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            guard path.hasPrefix("/") else {
                throw Self.error("path", "must begin with `/`, such as `/v1/chat/completions`.")
            }
            return try GatewayPath(String(parts[0]))
        }
        guard !given.isEmpty else { return nil }
        var path = ""
        for name in MetadataLimits.pathIDs {
            guard let id = try text(name) else {
                let all = MetadataViolation.list(MetadataLimits.pathIDs)
                throw Self.error(name, "is missing. Give all of \(all), or none.")
            }
            path += "/\(name)/\(PercentEncoding.segment(id))"
        }
        return try GatewayPath(path + "/chat/completions")
    }

    func body() throws(GatewayError) -> [UInt8] {
        guard let member = try member("body", .object) else { return [] }
        guard let body = try? object.object(member) else {
            throw Self.error("body", "holds a name twice. Readers differ in which one counts; send it once.")
        }
        return Array(body.bytes[body.braces])
    }

    func model(body: [UInt8], path: GatewayPath?) throws(GatewayError) -> String? {
        var inner: String?
        if !body.isEmpty, let body = try? JSONObject.scan(body, maximumDepth: maximumDepth) {
            inner = body.member("model").flatMap(body.string)
        }
        let own = try text("model")
        if let own, let inner, own != inner {
            throw Self.error("model", "is another one than the `model` in `body`. Give one of the two.")
        }
        if let model = own ?? inner { return model }
        // Other calls than completions may name none.
        if case .other = path?.route { return nil }
        throw Self.error("model", #"is missing. Add it, such as "model": "openai/gpt-4o-mini"."#)
    }

    func sender() throws(GatewayError) -> RequestDescription.Sender {
        let (account, user, key) = (try text("account"), try text("user"), try text("key"))
        let teams = try member("teams", .array).map { member throws(GatewayError) in
            guard let texts = object.strings(member) else { throw Self.error("teams", "must be a list of strings.") }
            return texts
        }
        if let key {
            for name in ["account", "user", "teams"] where object.member(name) != nil {
                throw Self.error(name, "is what the `key` says. Give one of the two.")
            }
            return .key(id: key)
        }
        if let account { return .account(account, user: user, teams: teams ?? []) }
        for name in ["user", "teams"] where object.member(name) != nil {
            throw Self.error(name, "needs `account` beside it: each key of a client has one.")
        }
        return .own
    }

    /// The member of that name; nil if it is absent.
    private func member(_ name: String, _ kind: JSONObject.Kind) throws(GatewayError) -> JSONObject.Member? {
        guard let member = object.member(name) else { return nil }
        guard member.kind == kind else {
            throw Self.error(name, "must be of the JSON type \(kind.rawValue), but is \(member.kind.noun).")
        }
        return member
    }

    private func text(_ name: String) throws(GatewayError) -> String? {
        guard let member = try member(name, .string) else { return nil }
        guard let text = object.string(member), !text.isEmpty else {
            throw Self.error(name, "has no text. Give it some, or leave the member out.")
        }
        return text
    }

    private func fields(of member: JSONObject.Member) throws(GatewayError) -> [(name: String, value: String)] {
        let fault = Self.error("headers", "must hold each header once, with a string as its value.")
        guard let inner = try? object.object(member) else { throw fault }
        var fields: [(name: String, value: String)] = []
        for member in inner.members {
            guard let name = inner.name(of: member), let value = inner.string(member) else { throw fault }
            fields.append((name, value))
        }
        return fields
    }

    private static func error(_ member: String, _ fault: String) -> GatewayError {
        .invalidRequest(code: "invalid_description", "The member `\(member)` \(fault)", param: member)
    }
}
