internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Policies
internal import Queue

/// `POST /rules/explain`: what the operator's rules would decide of a request, and why. It queues and counts nothing.
///
/// A client with a key is explained as itself, and sees what concerns it (`Explanation.View.own`). Where clients need
/// no key, none is known by name, and each sees all.
struct RulesController: Sendable {
    static let path = "/rules/explain"
    static let usagePath = "/rules/usage"
    static let wrongMethod = GatewayError.invalidRequest(
        405, code: "method_not_allowed", "An explanation requires POST, with a description of a request in JSON.")
    /// The requests that tell which counters are in use: the latest that rules met within the longest window.
    static let usageRequests = "rule[present]&from=24h&limit=500"

    let jobs: JobBuilder
    let rates: RateReader
    /// Whether clients are known by keys.
    let asksForKeys: Bool

    /// - Parameter seesAll: whether it is the operator who asks in the dashboard.
    func explain(_ call: AdmittedRequest, seesAll: Bool = false) async throws -> Response {
        let body = try await jobs.bodies.body(of: call.request)
        let rules = jobs.currentRules
        let description = try rules.description(body, namesSender: false, maximumDepth: jobs.maximumJSONDepth)
        let explanation = await rules.explanation(
            of: description, from: call.admitted.account,
            view: view(of: call.admitted, seesAll),
            usage: .redis(rates))
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: explanation.json)))
    }

    private func view(of admitted: Authenticator.Admitted, _ seesAll: Bool) -> Explanation.View {
        !seesAll && (asksForKeys || admitted.account != nil) ? .own : .full
    }

    /// The present usage of rate limits, for the dashboard: the counters on which the project's latest requests count.
    /// - Parameters:
    ///   - requests: the log's answer to ``usageRequests``; nil: there is none.
    ///   - note: why there is none.
    func usage(
        of requests: [UInt8]?, note: String?, admitted: Authenticator.Admitted, seesAll: Bool
    ) async -> [UInt8] {
        let facts = requests.map { RequestFacts.requests(in: $0) } ?? []
        let usage = await jobs.currentRules.usage(of: facts, view: view(of: admitted, seesAll), from: rates)
        return usage.json(requests: facts.count, note: note)
    }

    /// The rules that are in force, and where each stands: `{"hash","is_hidden","documents"}`, for the dashboard.
    /// - Parameter seesAll: whether the operator asks; others are not told which rules there are.
    func loaded(seesAll: Bool) -> [UInt8] {
        let rules = jobs.currentRules
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("hash", rules.hash.isEmpty ? nil : rules.hash)
            writer.member("is_hidden", !seesAll)
            writer.member("documents") { writer in
                writer.array(seesAll ? rules.documents : []) { $1.write(to: &$0) }
            }
        }
        return writer.bytes
    }
}

extension PolicyDocument {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("type", type)
            writer.member("name", name)
            writer.member("file", file)
            writer.member("line", line)
            writer.member("rules") { writer in
                writer.array(rules) { writer, rule in
                    writer.object { writer in
                        writer.member("id", rule.id)
                        writer.member("line", rule.line)
                    }
                }
            }
        }
    }
}
