internal import Common
internal import JSON
internal import Upstream

/// An answer's headers about its way: the model that served it, how many calls were made, and the operator's rules that
/// chose it (TrueFoundry's headers).
struct ServedBy {
    let headers: [HeaderField]

    init(_ plan: CallPlan) {
        let (target, routed) = (plan.target, plan.routed)
        var headers: [HeaderField] = []
        if let model = Self.model(of: target, routed) {
            headers.append(HeaderField("x-tfy-resolved-model", HeaderText.escaped(HeaderText.cut(model))))
        }
        headers.append(HeaderField("x-tfy-attempts", String(plan.calls)))
        if let rules = routed?.rules {
            let applied = AppliedConfigurations(
                [("load_balance", rules.balancing.map { [$0] }), ("fallback", rules.fallback.map { [$0] })])
            if let header = applied.header { headers.append(header) }
        }
        self.headers = headers
    }

    /// `provider/model`. The mock's options, which stand behind a question mark, are not part of the name.
    private static func model(of target: Target, _ routed: RoutedJob?) -> String? {
        if target.provider == ProviderDirectory.mock {
            return (routed?.model ?? target.model).map { String($0.prefix { $0 != "?" }) }
        }
        // A LiteLLM proxy gets the whole name.
        if target.provider == LiteLLMBackend.name { return routed?.model ?? target.model }
        return routed?.model ?? target.model.map { "\(target.provider)/\($0)" }
    }
}
