import Common
import JSON
import Testing

@testable import Dashboard

struct ConversationTests {
    @Test(arguments: [
        ("", false), ("AAAA", true), ("AA==", true), ("AA", true), ("A", false), ("A===", false), ("AA=A", false),
        ("AAA\u{301}", false), ("<b>A", false), ("AA A", false),
    ])
    func `a picture is one that can be decoded`(data: String, isShown: Bool) throws {
        let part = #"{"type":"image_url","image_url":{"url":"data:image/png;base64,\#(data)"}}"#
        let trace = try JSONObject.answer(
            Array(#"{"input":{"messages":[{"role":"user","content":[\#(part)]}]}}"#.utf8))
        let block = try #require(Conversation(trace).messages.first?.blocks.first)
        #expect((block.picture != nil) == isShown && (block.json != nil) == !isShown)
    }

    @Test func `the command has what is known and the page says what is not`() throws {
        func row(_ path: String) throws -> LoggedRequest {
            let text =
                #"{"insertion_id":"i","time":"t","outcome":"succeeded","status":200,"path":"\#(path)","model_asked":"m","metadata":{"team":"a","requeued_from":"b"}}"#
            return try #require(LoggedRequest(try JSONObject.answer(Array(text.utf8))))
        }
        let trace = try JSONObject.answer(
            Array(#"{"input":{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function"}]}}"#.utf8))
        let (chat, conversation) = (try row("/chat/completions"), Conversation(trace))
        let curl = CurlText.of(chat, conversation)
        #expect(curl.contains(#""tools":["#) && curl.contains(#"{"team":"a"}"#) && !curl.contains("requeued_from"))
        #expect(CurlText.missing(chat, conversation).contains("response_format"))
        #expect(CurlText.missing(chat, nil).contains("messages, tools"))
        let embeddings = try row("/embeddings")
        #expect(CurlText.of(embeddings, nil).hasSuffix(#"-d '{"model":"m"}'"#))
        #expect(
            CurlText.missing(embeddings, nil).contains("input")
                && CurlText.missing(embeddings, nil).contains("encoded_base_url"))
    }
}
