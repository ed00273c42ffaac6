import Testing

@testable import Forwarder

@Suite struct ErrorOpeningTests {
    private static let error = #"data: {"status":400,"error":"no stream_options here"}"# + "\n\n"

    /// Gives the text in pieces of so many bytes.
    private func opening(_ text: String, by size: Int = .max) -> ErrorOpening {
        var (opening, rest) = (ErrorOpening(), Array(text.utf8)[...])
        while !rest.isEmpty {
            opening.take(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return opening
    }

    @Test(arguments: [
        "", "\n", "\r\n\r\n", ": OPENROUTER PROCESSING\n\n", ": stream_options error\n\n", ":", "retry: 3000\n\n",
        "id: 1\n", "event: error\n", "event: ping\n\n", "data:\n\n", "data", #"data: {"status":400,"#,
        #"data: {"id":"1","choices":[]}"#, "{", #"{"id":"1""#, #"{"success":false,"errors":["stream"#,
    ])
    func `what comes before the first event decides nothing`(text: String) {
        #expect(opening(text).finding == .undecided && opening(text, by: 1).finding == .undecided)
    }

    @Test(arguments: [
        error, ": OPENROUTER PROCESSING\n\n" + error, "retry: 3000\n\n" + error, "id: 1\n" + error,
        "\u{FEFF}" + error, "\r\n: a\r\n\r\nevent: error\r\ndata: stream_options\r\n\r\n", "data:\n\n" + error,
        error + "data: [DONE]\n\n",
        #"{"status_code":400,"error":"no stream_options here"}"#, "\n\n {\"detail\":\"stream_options\"}\n",
    ])
    func `the first event or the body is judged once it is whole`(text: String) {
        for size in [1, 7, .max] {
            let opening = opening(text, by: size)
            #expect(opening.finding == .whole && opening.names("stream_options"), "by \(size)")
        }
    }

    @Test(arguments: [
        #"data: {"choices":[{"delta":{"content":"stream_options error"}}]}"# + "\n\n" + error, "data: [DONE]\n\n",
        #"data: {"type":"message_start","message":{"content":"stream_options"}}"# + "\n\n" + error,
        #"data: {"error":{"message":"too many requests"}}"# + "\n\n" + error,
        #"{"id":"1","object":"chat.completion","choices":[{"message":{"content":"stream_options"}"#,
        #"{"response":"stream_options"}"# + "\n" + #"{"error":"stream_options"}"#,
        #"[{"error":"stream_options"}]"#, "17", "\"stream_options\"", "abc",
    ])
    func `an answer is passed on as soon as it is known to be one`(text: String) {
        for size in [1, 7, .max] {
            let opening = opening(text, by: size)
            #expect(opening.finding != .undecided && !opening.names("stream_options"), "by \(size)")
        }
    }

    @Test func `an event ends with the stream`() {
        var cut = opening("event: error\ndata: no stream_options")
        #expect(cut.finding == .undecided && !cut.names("stream_options"))
        cut.end()
        #expect(cut.finding == .whole && cut.names("stream_options"))
    }

    @Test func `what is cut is judged by what there is`() {
        #expect(opening(#"data: {"detail":[{"loc":["body","stream_options"]}],"input":{"a"#).names("stream_options"))
        #expect(!opening(#"data: {"detail":[{"loc":["body","stream_opt"#).names("stream_options"))
    }
}
