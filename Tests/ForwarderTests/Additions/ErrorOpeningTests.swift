import Testing

@testable import Forwarder

@Suite struct ErrorOpeningTests {
    @Test(arguments: [
        "{", "{\"er", #"{"error":{"#, " { \"error\" : {\"message\":\"no\"}}", "data", "data: {", "data:{\"error\"",
        "event: err", "event: error\ndata: {", #"data: {"object": "error", "#, #"{"detail":[]}"#, "\n\ndata: {\"mess",
    ])
    func `what may be an error is held`(text: String) { #expect(ErrorOpening.mayBegin(Array(text.utf8))) }

    @Test(arguments: [
        "", "\n", "\r\n\r\n", ": keep-alive\n\n", ":", "{\"id\"", #"{"choices":["#, #"{"object":"chat"#, "data: {\"id",
        "data: [DONE]", "event: message_start", "id: 1\n", "[{", "x", #"data: {"object":"c"#,
    ])
    func `what cannot be one is not`(text: String) { #expect(!ErrorOpening.mayBegin(Array(text.utf8))) }
}
