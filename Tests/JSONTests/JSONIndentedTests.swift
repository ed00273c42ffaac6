import JSON
import Testing

struct JSONIndentedTests {
    @Test func `each level has its spaces`() {
        let text = JSONText.indented(Array(#"{"a":[1,{}],"b":"[,{"}"#.utf8))
        #expect(
            String(decoding: text, as: UTF8.self) == """
                {
                  "a": [
                    1,
                    {}
                  ],
                  "b": "[,{"
                }
                """)
    }

    /// Each line of deep JSON would be spaces above all: a small body would become a page of many megabytes.
    @Test(arguments: [1, 10, 100, 1000, 10_000]) func `deep JSON does not swell`(depth: Int) {
        for open in ["[", #"{"a":"#] {
            let close = open == "[" ? "]" : "}"
            let json = Array(
                (String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)).utf8)
            let text = JSONText.indented(json)
            #expect(text.count <= JSONText.mostGrowth * json.count)
            #expect(text.filter { $0 > 0x20 } == json)
        }
    }
}
