import Common
import Testing

@testable import Forwarder

@Suite struct MockOptionsTests {
    @Test func `all options are read`() throws {
        let options = try MockOptions(
            model:
                "mock/echo?delay_ms=200&chunks=20&pace_ms=10&size=1000&status=429&prompt_tokens=12&completion_tokens=34&retry_after=1&fail=cut"
        )
        #expect((options.delay, options.pace) == (.milliseconds(200), .milliseconds(10)))
        #expect((options.chunks, options.size, options.status, options.retryAfter) == (20, 1000, 429, 1))
        #expect((options.promptTokens, options.completionTokens, options.failure) == (12, 34, .cut))
    }

    /// To normalise so many marks takes many minutes.
    @Test(arguments: ["?%=1", "?size=%", "?fail=%", "%", "?%"]) func `an option of marks takes no time`(_ form: String)
    {
        let marks = String(repeating: "\u{323}\u{301}", count: 1 << 18)
        let time = ContinuousClock().measure {
            #expect(throws: GatewayError.self) {
                try MockOptions(model: "mock/echo" + form.replacing("%", with: marks))
            }
        }
        #expect(time < .seconds(60))
    }

    @Test(arguments: [
        "delay_ms=0", "delay_ms=600000", "chunks=1", "chunks=100000", "pace_ms=600000", "size=0", "size=16777216",
        "status=200", "status=400",
        "status=599",
        "retry_after=3600", "prompt_tokens=0", "fail=connect", "fail=stall", "",
    ])
    func `the bounds themselves are allowed`(option: String) throws {
        _ = try MockOptions(model: "mock/echo?\(option)")
    }

    @Test(arguments: [
        "delay_ms=600001", "delay_ms=-1", "delay_ms=", "delay_ms", "delay_ms=1.5", "chunks=0", "chunks=100001",
        "pace_ms=600001", "size=16777217",
        "status=199",
        "status=302", "status=600", "retry_after=3601", "prompt_tokens=-1",
        "completion_tokens=99999999999999999999", "fail=maybe",
    ])
    func `a bad value is named with its rule`(option: String) throws {
        let error = try failure { try MockOptions(model: "mock/echo?chunks=2&\(option)") }
        #expect((error.status, error.code, error.param) == (400, "invalid_mock_option", "model"))
        #expect(error.message.contains("`\(option.prefix { $0 != "=" })`"))
    }

    @Test func `an unknown option is named with its near miss`() throws {
        let error = try failure { try MockOptions(model: "mock/echo?delay=3&chunk=2") }
        #expect(error.code == "unknown_mock_option" && error.message.contains("`delay`"))
        #expect(try failure { try MockOptions(model: "mock/echo?chunk=2") }.message.contains("`chunks`"))
    }

    @Test(arguments: ["mock/gpt", "mock/", "gpt-4o", "mock/echo/x"])
    func `there is one mock model`(model: String) throws {
        let error = try failure { try MockOptions(model: model) }
        #expect((error.status, error.code) == (404, "model_not_found"))
    }
}
