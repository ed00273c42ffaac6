import Common
import Testing

/// A client of another API under a rollout is told what is recorded, and how it is set to that.
@Suite struct UnrecordedAPITests {
    private static let ids = "/rollout_id/r/invocation_id/i/experiment_id/e/run_id/n/row_id/7"

    @Test(arguments: [
        ("/responses", "set_default_openai_api(\"chat_completions\")"), ("/v1/responses/", "responses_api=false"),
        ("/messages", "anthropic/"), ("/v1/messages", "OpenAI API"), ("/completions", "local-chat-completions"),
        ("/responses/compact", "responses_api=false"), ("/v1/responses/input_tokens/", "responses_api=false"),
        ("/messages/count_tokens", "anthropic/"), ("/v1/messages/batches", "OpenAI API"),
    ])
    func `the error says how to repair it`(path: String, advice: String) throws {
        do throws(GatewayError) {
            _ = try GatewayPath(Self.ids + path)
            Issue.record("it is taken")
        } catch {
            #expect(error.status == 400 && error.code == "invalid_path" && error.param == "chat/completions")
            #expect(error.message.contains("chat completions are recorded") && error.message.contains(advice))
        }
    }

    @Test(arguments: ["/response", "/responsesx", "/chat/responses", "/embeddings", "//responses"])
    func `others are told the form`(path: String) throws {
        do throws(GatewayError) {
            _ = try GatewayPath(Self.ids + path)
            Issue.record("it is taken")
        } catch {
            #expect(error.message.contains("The right form is") && !error.message.contains("recorded"))
        }
    }
}
