import Testing

@testable import Forwarder

@Suite struct ModelRuleTests {
    @Test(arguments: [
        ("accounts/fireworks/models/x", "accounts/fireworks/models/x"),
        ("FW-abc", "FW-abc"),
        ("x#deployment", "x#deployment"),
        ("models/x", "accounts/fireworks/models/x"),
        ("routers/x", "accounts/fireworks/routers/x"),
        ("kimi-fast", "accounts/fireworks/routers/kimi-fast"),
        ("auto", "accounts/fireworks/routers/auto"),
        ("firerouter/x", "accounts/fireworks/routers/firerouter/x"),
        ("llama-v3", "accounts/fireworks/models/llama-v3"),
    ])
    func fireworks(name: String, sent: String) {
        #expect(ModelRule.fireworks.apply(to: name) == sent)
    }

    @Test(arguments: [("gemini-2.0-flash", "google/gemini-2.0-flash"), ("meta/llama", "meta/llama")])
    func google(name: String, sent: String) {
        #expect(ModelRule.google.apply(to: name) == sent)
    }
}
