/// The meaning of a request's path. Parsing is pure: no project is looked up and no URL is judged.
///
/// The forms, each with or without a leading `/v1` and then `/project_id/{project_id}` (which may again be followed by
/// `/v1`):
///
///     /rollout_id/{}/invocation_id/{}/experiment_id/{}/run_id/{}/row_id/{}[/encoded_base_url/{}][/v1]/chat/completions
///     /chat/completions
///     anything else, which goes to the backend as it is
package struct GatewayPath: Sendable, Equatable {
    package enum Route: Sendable, Equatable {
        /// A completion of a rollout. `baseURL` is the client's choice, decoded but not yet judged.
        case rollout(RolloutIDs, baseURL: String?)
        /// A completion that belongs to no rollout.
        case completion
        /// Any other path: percent-encoded as it came, beginning with `/`, without version and project.
        case other(String)
    }

    /// The project that the path names, decoded. Nil means the default project.
    package let project: String?
    package let route: Route

    /// The path that is meant for the backend (`Job.path`).
    package var backendPath: String {
        if case .other(let path) = route { path } else { "/chat/completions" }
    }

    package var isRollout: Bool {
        if case .rollout = route { true } else { false }
    }

    /// Parses the path of a request target.
    /// - Parameter path: The path as it came, percent-encoded and without the query.
    /// - Throws: A 400 that names the segment at fault and shows the right form.
    package init(_ path: String) throws(GatewayError) {
        var segments = try PathSegments(path)
        segments.skip("v1")
        if segments.skip("project_id") {
            project = try segments.id("project_id")
            segments.skip("v1")
        } else {
            project = nil
        }
        route = try segments.route()
    }
}

extension PathSegments {
    /// The labels of the project, of a rollout's ids and of the base URL in a path, in their order.
    private static let names = [
        "project_id", "rollout_id", "invocation_id", "experiment_id", "run_id", "row_id", "encoded_base_url",
    ]

    /// Reads the path behind version and project, to its end.
    mutating func route() throws(GatewayError) -> GatewayPath.Route {
        if let first = next, Self.names.contains(where: { first.isText($0) }) {
            return try rollout()
        }
        if rest.isText("/chat/completions") || rest.isText("/chat/completions/") {
            return .completion
        }
        if let question = try rolloutQuestion() { return .other(question) }
        return .other(try backendPath())
    }

    /// `/rollouts/{rollout_id}`, unchanged: the gateway's own page, so that its id may be any that the other routes
    /// take. Nil for other paths.
    private mutating func rolloutQuestion() throws(GatewayError) -> String? {
        var segments = self
        guard segments.skip("rollouts"), let id = segments.next, !id.isEmpty, segments.rest.count == id.count + 1 else {
            return nil
        }
        _ = try segments.id("rollout_id")
        defer { self = segments }
        return String(Substring(rest))
    }

    private mutating func rollout() throws(GatewayError) -> GatewayPath.Route {
        let ids = RolloutIDs(
            rollout: try labelledID("rollout_id"), invocation: try labelledID("invocation_id"),
            experiment: try labelledID("experiment_id"),
            run: try labelledID("run_id"), row: try labelledID("row_id"))
        let baseURL = skip("encoded_base_url") ? try encodedBaseURL() : nil
        skip("v1")
        if let other = UnrecordedAPI(rest) { throw .unrecorded(other) }
        guard skip("chat"), skip("completions"), rest.isEmpty || rest.isText("/") else {
            throw misplaced(expected: "chat/completions")
        }
        return .rollout(ids, baseURL: baseURL)
    }

    private mutating func labelledID(_ name: String) throws(GatewayError) -> String {
        guard skip(name) else { throw misplaced(expected: name) }
        return try id(name)
    }

    /// The error if `expected` does not follow. It quotes only the gateway's own names: others may be secrets.
    private func misplaced(expected: String) -> GatewayError {
        guard let next else { return .invalidPath("it ends where \(expected) should follow", param: expected) }
        guard let found = Self.names.first(where: { next.isText($0) }) else {
            return .invalidPath(
                "\(expected) should stand where \(next.isEmpty ? "an empty" : "another") segment is", param: expected)
        }
        if let order = Self.names.firstIndex(of: found),
            order < Self.names.firstIndex(of: expected) ?? Self.names.endIndex
        {
            return .invalidPath("\(found) is repeated or out of order", param: found)
        }
        return .invalidPath("\(expected) should stand where \(found) is", param: expected)
    }

    /// The first segment of the paths in which another segment may be a model's name with encoded slashes, as OpenAI's
    /// clients write it.
    private static let modelFolder = "models"

    /// The rest, unchanged, if no reader can take it for another path. A proxy or backend that decodes or normalises it
    /// must come to the path that the gateway has seen.
    private mutating func backendPath() throws(GatewayError) -> String {
        let path = rest.isEmpty ? "/" : String(Substring(rest))
        let isModel = next?.isText(Self.modelFolder) ?? false
        while let segment = take() {
            guard !segment.isEmpty || rest.isEmpty else { throw .invalidPath("it holds an empty segment (//)") }
            guard let bytes = PercentDecoding.bytes(segment) else {
                throw .invalidPath("a % is not followed by two hex digits; a % itself is written %25")
            }
            let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            guard parts.count == 1 || isModel else { throw .invalidPath("it holds a backslash or an encoded slash") }
            guard parts.count == 1 || !parts.contains(where: \.isEmpty) else {
                throw .invalidPath("it holds an empty segment (//)")
            }
            guard !parts.contains(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }) else {
                throw .invalidPath("it holds a segment . or ..")
            }
            for byte in bytes {
                switch byte {
                case UInt8(ascii: "\\"):
                    throw .invalidPath("it holds a backslash or an encoded slash")
                case 0..<0x20, 0x7F: throw .invalidPath("it holds an encoded control character")
                default: continue
                }
            }
        }
        return path
    }
}
