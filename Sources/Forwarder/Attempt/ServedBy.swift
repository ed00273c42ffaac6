internal import Common
internal import JSON
internal import Upstream

/// What an answer says of its way: the model that served it, how many calls were made, and the operator's rules that
/// chose it (TrueFoundry's headers).
struct ServedBy {
    let headers: [HeaderField]

    /// - Parameters:
    ///   - routed: the job at its present target; nil: no rule chose it.
    ///   - attempts: calls that were made, the last one included.
    init(_ target: Target, routed: RoutedJob?, attempts: Int) {
        var headers: [HeaderField] = []
        if let model = routed?.model ?? target.model.map({ "\(target.provider)/\($0)" }) {
            headers.append(HeaderField("x-tfy-resolved-model", HeaderText.escaped(model)))
        }
        headers.append(HeaderField("x-tfy-attempts", String(attempts)))
        if let rules = routed?.rules {
            let applied = AppliedConfigurations(
                [("load_balance", rules.balancing.map { [$0] }), ("fallback", rules.fallback.map { [$0] })])
            if let header = applied.header { headers.append(header) }
        }
        self.headers = headers
    }
}
