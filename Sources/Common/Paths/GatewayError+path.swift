extension GatewayError {
    /// A path that the gateway cannot route, with the form that it should have.
    /// - Parameters:
    ///   - reason: A sentence on the path without its full stop.
    ///   - param: The segment at fault. Given only for a metadata path, whose form is then shown.
    static func invalidPath(_ reason: String, param: String? = nil) -> Self {
        var message = "The path of the request cannot be used: \(reason)."
        if param != nil {
            message +=
                " The right form is [/v1][/project_id/{project_id}]/rollout_id/{rollout_id}/invocation_id/{invocation_id}"
            message +=
                "/experiment_id/{experiment_id}/run_id/{run_id}/row_id/{row_id}[/encoded_base_url/{base64url}]/chat/completions"
            message += ", each id 1 to 128 characters, percent-encoded."
        }
        return .invalidRequest(code: "invalid_path", message, param: param)
    }
}
