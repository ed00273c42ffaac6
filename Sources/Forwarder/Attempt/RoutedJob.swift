internal import Common
internal import JSON
internal import Upstream

/// A job whose call may go to several targets, one after the other.
struct RoutedJob {
    /// The parts that stay the same from step to step. This is a class, since the plan of a call is copied more often
    /// than changed.
    private final class Origin {
        let job: Job
        /// The job's body.
        let object: JSONObject
        let resolve: (Job) throws(GatewayError) -> Target

        init(_ job: Job, _ object: JSONObject, resolve: @escaping (Job) throws(GatewayError) -> Target) {
            (self.job, self.object, self.resolve) = (job, object, resolve)
        }
    }

    private let origin: Origin
    /// The present step.
    private var place = 0
    /// The steps that had their turn, in their order.
    private var tried: [Int] = []

    /// - Parameters:
    ///   - job: with its body.
    ///   - resolve: makes the call of a job to the model that it names.
    /// - Returns: nil for a job without a route, and for a job whose model cannot be replaced. Only a model that stands
    ///   in a JSON body alone can.
    init?(_ job: Job, resolve: @escaping (Job) throws(GatewayError) -> Target) {
        guard !job.route.isEmpty, let content = try? RequestContent(job.body, contentType: nil, maximumDepth: .max),
            case .json(let object) = content, object.member("model")?.kind == .string,
            PathModel(method: job.method, path: job.path) == nil,
            let model = try? RequestModel(content: .other, method: job.method, path: job.path, query: job.query),
            model.name == nil
        else { return nil }
        origin = Origin(job, object, resolve: resolve)
    }

    /// The rules that chose the steps so far: of load balancing, and of fallback.
    var rules: (balancing: String?, fallback: String?) {
        let steps = origin.job.route.steps
        let balancing = steps.first?.rule.flatMap { origin.job.route.fallback > 0 ? $0 : nil }
        return (balancing, place >= origin.job.route.fallback ? steps[place].rule : nil)
    }

    private var step: Route.Step { origin.job.route.steps[place] }

    /// The model of the present step.
    var model: String { step.model }

    /// Whether a rule names the present step's model, and not the client alone.
    var isNamedByRule: Bool { step.rule != nil }

    /// The retries of the present step's target; nil: its rule does not say.
    var retry: Route.Retry? { step.retry }

    /// The call to the present step's target.
    /// - Throws: the error for the client if there is no such call.
    mutating func target() throws(GatewayError) -> Target {
        tried.append(place)
        var target = try origin.resolve(changed())
        let changes = step.changes
        for name in changes.removedHeaders + changes.headers.map(\.name) {
            target.request.headers.removeAll { $0.name.equalsIgnoringASCIICase(name) }
        }
        target.request.headers += changes.headers
        return target
    }

    /// Whether there is a step after any failure of some kinds.
    func mayAdvance(afterAny isMeant: (Route.Failure) -> Bool) -> Bool {
        step.failures.union(origin.job.route.fallbackFailures).contains { failure in
            isMeant(failure) && origin.job.route.next(after: place, failure, tried: tried) != nil
        }
    }

    /// Goes on to the step whose turn it is after a failure of the present one.
    /// - Returns: false if there is none.
    mutating func advance(after failure: Route.Failure) -> Bool {
        guard let next = origin.job.route.next(after: place, failure, tried: tried) else { return false }
        place = next
        return true
    }

    /// The job as if its client had asked for the present step: with the step's model and the rule's changes. Some
    /// parts go to no other provider than the client named: the client's key, its query, and the headers that choose
    /// whose budget pays.
    private func changed() -> Job {
        guard let asked = origin.job.model, asked != model || !step.changes.members.isEmpty else { return origin.job }
        var other = origin.job
        other.model = model
        var splice = JSONSplice(origin.object)
        splice.set("model", to: JSONText.quoted(model))
        for member in step.changes.members { splice.set(member.name, to: Array(member.json.utf8)) }
        if Self.provider(of: asked) != Self.provider(of: model) {
            other.clientKey = nil
            other.query = nil
            other.headers.removeAll { ForwardedHeaders.isClients($0.name) }
            if origin.object.member("api_key") != nil { splice.remove("api_key") }
        }
        other.body = splice.result()
        return other
    }

    private static func provider(of model: String) -> Substring {
        Substring(model.utf8.prefix { $0 != UInt8(ascii: "/") })
    }
}
