internal import Common

/// Members of a body that a LiteLLM proxy would act on: they send the call, and with it the proxy's or the gateway's keys, elsewhere
/// (CVE-2024-6587), or make the proxy call again when the gateway alone owns retries.
enum ForbiddenMembers {
    /// LiteLLM 1.109.1: the parameters that its proxy bans by default (proxy/auth/auth_utils.py), those that carry a configuration, and `fallbacks`.
    private static let names: Set<UTF8Text> = [
        "api_base", "aws_bedrock_runtime_endpoint", "aws_role_name", "aws_sts_endpoint", "aws_web_identity_token", "base_url",
        "context_window_fallbacks", "deployment_url", "fallbacks", "litellm_credential_name", "litellm_params", "model_list", "s3_endpoint_url",
        "sagemaker_base_url", "user_config", "vertex_credentials",
    ]
    /// LiteLLM reads `langfuse_…` in these objects too.
    private static let nested = ["metadata", "litellm_metadata"]

    /// - Throws: 400 that names the first such member.
    static func check(_ object: JSONObject) throws(GatewayError) {
        for member in object.members {
            guard let name = object.name(of: member) else { continue }
            if names.contains(name) || name.hasPrefix("langfuse_") { throw refusal(name) }
            guard nested.contains(name) else { continue }
            for inner in try Self.object(member, of: object)?.members ?? [] {
                guard let innerName = object.name(of: inner) else { continue }
                if names.contains(innerName) || innerName.hasPrefix("langfuse_") { throw refusal("\(name).\(innerName)") }
            }
        }
    }

    private static func object(_ member: JSONObject.Member, of object: JSONObject) throws(GatewayError) -> JSONObject? {
        do throws(JSONScanError) {
            return try object.object(member)
        } catch {
            throw error.gatewayError
        }
    }

    private static func refusal(_ name: String) -> GatewayError {
        .invalidRequest(
            code: "forbidden_member",
            "`\(name)` is not passed on: the LiteLLM proxy behind this gateway would act on it. Leave it out; to call a server of "
                + "your own, put its URL into the path as encoded_base_url.",
            param: name)
    }
}
