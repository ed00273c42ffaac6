internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Policies
internal import Queue

/// `POST /rules/explain`: what the operator's rules would decide of a request, and why. It queues and counts nothing.
///
/// A client with a key is explained as itself, and sees what concerns it (`Explanation.View.own`). Where clients need
/// no key, none is known by name, and each sees all.
struct RulesController: Sendable {
    static let path = "/rules/explain"

    let jobs: JobBuilder
    let rates: RateReader
    /// Whether clients are known by keys.
    let asksForKeys: Bool

    func respond(to request: Request, admitted: Entrance.Admitted) async throws -> Response {
        guard request.method == .post else {
            throw GatewayError.invalidRequest(
                405, code: "method_not_allowed", "What rules decide is asked for with POST and a description in JSON.")
        }
        let body = try await jobs.body(of: request)
        let rules = jobs.currentRules
        let description = try rules.description(body, namesSender: false, maximumDepth: jobs.maximumJSONDepth)
        let explanation = await rules.explanation(
            of: description, from: admitted.account, view: asksForKeys || admitted.account != nil ? .own : .full,
            usage: .redis(rates))
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: explanation.json)))
    }
}
