internal import Common
internal import Dashboard
internal import Hummingbird
internal import Logging

/// The operator's actions by the dashboard's forms.
extension DashboardController {
    /// The token that a form of this visitor's must have; nil if there is no form.
    func token(of visitor: Visitor) -> FormToken? {
        operators.includes(visitor.account) ? FormToken(session: visitor.session, envelope: envelope) : nil
    }

    /// Does what a form asks for, and shows the queue again.
    func act(
        _ action: DashboardRoute.Action, in project: String, asked: DashboardRequest, request: Request,
        logger: Logger
    ) async throws(GatewayError) -> DashboardResponse {
        guard !asked.isForeign else { throw .foreignForm }
        guard let visitor = try await visitor(asked, request) else {
            return .redirect(to: "\(DashboardRoute.root)/login")
        }
        let admitted = try authenticator.admit(visitor.account, project: project)
        guard let token = token(of: visitor) else { throw .operatorOnly }
        guard token.matches(try await Self.fields(of: request).value(FormToken.field)) else { throw .otherSession }
        let done: [(name: String, value: String)]
        switch action {
        case .requeue(let letter):
            let id = try await controllers.queue.letters.requeue(letter, by: admitted, logger: logger)
            done = [("done", "requeued"), ("id", id.description)]
        case .delete(let letter):
            try await controllers.queue.letters.delete(letter, by: admitted, logger: logger)
            done = [("done", "deleted")]
        }
        return .redirect(to: DashboardRoute.queue(of: project, done))
    }
}

extension GatewayError {
    fileprivate static let otherSession = GatewayError(
        status: 403, type: "permission_error", code: "foreign_form",
        message: "The form is one of another session. Open the page again, and send it from there.",
        shouldRetry: false)
}
