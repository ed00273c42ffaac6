import Common
import Testing

@testable import Forwarder

/// The answer to a question for a list of models, as servers give it.
@Suite struct ListedModelsTests {
    @Test(
        arguments: [
            (#"{"object":"list","data":[{"id":"a/b","object":"model"},{"id":"c"}]}"#, ["a/b", "c"]),
            (#"{"data":[]}"#, []), (#"[{"id":"a\u002fb"},{"id":7},{"name":"x"},"y"]"#, ["a/b"]),
            (#" {"data":null,"data":[{"object":"model","id":"é/x"}],"first_id":"z"} "#, ["é/x"]),
        ] as [(String, Set<String>)])
    func `ids are read`(body: String, ids: Set<String>) {
        #expect(ListedModels(answer: Array(body.utf8)) == .known(Set(texts: ids)))
    }

    @Test(arguments: [
        "", "null", "{}", #"{"data":{}}"#, #"{"models":[{"id":"a"}]}"#, #"{"data":[{"id":"a/b"}"#, "<html>", "\u{0}",
    ])
    func `what is no list tells nothing`(body: String) { #expect(ListedModels(answer: Array(body.utf8)) == nil) }

    @Test func `an ID is its bytes`() {
        let listed = ListedModels(answer: Array(#"[{"id":"e\u0301/x"}]"#.utf8))
        #expect(listed?.contains("e\u{301}/x") == true && listed?.contains("\u{e9}/x") == false)
    }
}
