internal import Common
internal import JSON

/// The request for a page, and the source of its contents.
struct PageRequest: Sendable {
    let project: String
    let links: Links
    let query: QueryItems
    let source: any DashboardSource
    /// The token that the operator's forms must have; nil: the viewer may only look.
    let formToken: FormToken?
    /// The findings about rollouts of the event stream that brings the page up to date; nil: it is the first look.
    let checks: RolloutChecks?
    let now: Timestamp

    /// The names for a filter's form. There are none where the log cannot say them; the page's rows then tell why.
    func metadataKeys() async -> [String] {
        guard let bytes = try? await source.get("/logs/metadata", query: "limit=200"),
            let answer = try? JSONObject.answer(bytes)
        else { return [] }
        return answer.texts("keys")
    }

    /// The present verdict on a rollout.
    func verdict(of rollout: String) async throws(GatewayError) -> JSONObject {
        try JSONObject.answer(try await source.get("/rollouts/" + PercentEncoding.segment(rollout), query: nil))
    }
}

extension PageRequest {
    /// The answer to a question whose filters a person chose, or the 400 that says what is wrong with them. It stands
    /// at the filters, where it is mended.
    func filtered<Answer>(
        _ ask: () async throws(GatewayError) -> Answer
    ) async throws(GatewayError) -> (answer: Answer?, failure: GatewayError?) {
        do throws(GatewayError) { return (try await ask(), nil) } catch {
            guard error.status == 400 else { throw error }
            return (nil, error)
        }
    }
}

/// The outcome of a page's request.
enum Contents {
    case page(PageContents)
    case json([UInt8])
    case redirect(String)
}

/// A page within the frame that all have.
struct PageContents {
    var title: String
    /// The part of the navigation that it belongs to.
    var section: Frame.Section?
    var template: String
    var view: Any
    var status = 200
    /// After so many seconds an open page is brought up to date; nil: it stays as it is.
    var refresh: Int?
    /// Whether a live page shows what the first look at it left out.
    var showsMoreLive = false
}

struct FailureView {
    var failureMessage: String
    var failureStatus: Int
    var failureCode: String

    init(_ error: GatewayError) {
        failureMessage = error.message
        failureStatus = error.status
        failureCode = error.code
    }
}

struct RefreshView {
    var refreshPath: String
}

struct LoginView {
    var next: String
    var loginError: String?
}
