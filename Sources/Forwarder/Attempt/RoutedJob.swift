internal import Common
internal import JSON

/// A job whose call may go to several targets, one after the other.
struct RoutedJob {
    private let job: Job
    private let resolve: (Job) throws(GatewayError) -> Target
    /// The present step.
    private var place = 0
    /// The steps that had their turn, in their order.
    private var tried: [Int] = []

    /// - Parameters:
    ///   - job: with its body.
    ///   - resolve: makes the call of a job to the model that it names.
    init(_ job: Job, resolve: @escaping (Job) throws(GatewayError) -> Target) {
        self.job = job
        self.resolve = resolve
    }

    /// The rules that chose the steps so far: of load balancing, and of fallback.
    var rules: (balancing: String?, fallback: String?) {
        let steps = job.route.steps
        let balancing = steps.first?.rule.flatMap { job.route.fallback > 0 ? $0 : nil }
        return (balancing, place >= job.route.fallback ? steps[place].rule : nil)
    }

    /// The model of the present step.
    var model: String { job.route.steps[place].model }

    /// The call to the present step's target.
    /// - Throws: what the client is told if there is no such call.
    mutating func target() throws(GatewayError) -> Target {
        tried.append(place)
        return try resolve(try job(for: model))
    }

    /// Goes on to the step whose turn it is after a failure of the present one.
    /// - Returns: false if there is none.
    mutating func advance(after failure: Route.Failure) -> Bool {
        guard let next = job.route.next(after: place, failure, tried: tried) else { return false }
        place = next
        return true
    }

    /// The job as if its client had named another model. Its client's key goes nowhere but to the provider that the
    /// client named.
    private func job(for model: String) throws(GatewayError) -> Job {
        guard let asked = job.model, asked != model else { return job }
        var other = job
        other.model = model
        guard let object = try? JSONObject.scan(job.body, maximumDepth: .max), let member = object.member("model"),
            member.kind == .string
        else {
            throw .invalidRequest(
                code: "model_not_routable",
                "The operator's rules send this request to another model, and its `model` stands in no JSON body. "
                    + "Send it there.", param: "model")
        }
        var splice = JSONSplice(object)
        splice.set("model", to: JSONText.quoted(model))
        if Self.provider(of: asked) != Self.provider(of: model) {
            other.clientKey = nil
            if object.member("api_key") != nil { splice.remove("api_key") }
        }
        other.body = splice.result()
        return other
    }

    private static func provider(of model: String) -> Substring { model.prefix { $0 != "/" } }
}
