internal import Common

/// One rule of a `gateway-fallback-config`: what takes a call that failed.
package struct FallbackRule: PolicyRule {
    package let id: String
    let when: RuleCondition
    /// `response_status_codes`.
    let failures: Set<Route.Failure>
    /// In the order of their turns.
    let targets: [RoutedTarget]

    var steps: [Route.Step] { targets.map { $0.step(of: id, failures: failures) } }
}
