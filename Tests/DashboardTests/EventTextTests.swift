import Common
import Testing

@testable import Dashboard

/// Events as a browser reads them: a line ends at LF, CR or both, and lines of data are joined by LF.
struct EventTextTests {
    @Test(arguments: [
        ("<p>a</p>", "data: <p>a</p>\n"), ("a\nb", "data: a\ndata: b\n"), ("", "data: \n"),
        ("a\n\nb\n", "data: a\ndata: \ndata: b\ndata: \n"),
        // A client's text may not end an event, nor begin one.
        ("<pre>a\r\revent: reload</pre>", "data: <pre>a\ndata: \ndata: event: reload</pre>\n"),
        ("\u{2028}é\u{85}", "data: \u{2028}é\u{85}\n"),
    ])
    func `a page is one event`(html: String, lines: String) {
        let event = EventText.page(Array(html.utf8))
        #expect(String(decoding: event, as: UTF8.self) == "event: page\n\(lines)\n")
    }

    @Test(arguments: [
        (nil, false), ("text/html", false), ("text/event-stream", true), ("*/*", false),
        ("text/html, text/event-stream;q=0.9", true),
    ])
    func `events are asked for`(accept: String?, wants: Bool) {
        var request = DashboardRequest(path: "/dashboard")
        request.accept = accept
        #expect(request.wantsEvents == wants)
    }
}
