import Common
import Testing

@testable import Forwarder

@Suite struct StreamOptionsTests {
    private func added(to text: String) throws -> (isAdded: Bool, text: String) {
        var body = try JobBody(Array(text.utf8), maximumDepth: 64)
        let isAdded = StreamOptions.add(to: &body)
        return (isAdded, String(decoding: body.result, as: UTF8.self))
    }

    @Test func theMemberIsAddedAndAllElseStays() throws {
        let body = #" { "model" : "m", "stream":true , "seed":1.0e2 } "#
        #expect(try added(to: body) == (true, #" { "model" : "m", "stream":true , "seed":1.0e2,"stream_options":{"include_usage":true} } "#))
    }

    @Test(arguments: [
        #"{"stream_options":{"include_usage":false}}"#, #"{"stream_options":null}"#, #"{"stream_options":{}}"#, #"{"str\u0065am_options":{}}"#,
        "text", "",
    ])
    func whatTheClientSaysStands(body: String) throws {
        #expect(try added(to: body) == (false, body))
    }

    @Test func onlyStreamedCompletionsOfARolloutAreAskedFor() throws {
        var job = try SpanSample.job(#"{"stream":true}"#)
        #expect(!StreamOptions.areWanted(for: job))
        job.isStream = true
        #expect(StreamOptions.areWanted(for: job))
        job.rollout = nil
        #expect(!StreamOptions.areWanted(for: job))
    }
}
