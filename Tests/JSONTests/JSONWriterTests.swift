import Testing

@testable import JSON

struct JSONWriterTests {
    private static func text(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `commas stand between members and elements alone`() {
        let text = Self.text { writer in
            writer.object { writer in
                writer.member("empty") { $0.object { _ in } }
                writer.member("none") { $0.array { _ in } }
                writer.member("list") { writer in
                    writer.array { writer in
                        writer.element { $0.string("a\"") }
                        writer.element { $0.object { $0.member("b", 1) } }
                        writer.element { $0.number(2) }
                    }
                }
                writer.member("texts") { $0.array(["x", "y"]) { $0.string($1) } }
                writer.member("last", true)
            }
        }
        #expect(text == #"{"empty":{},"none":[],"list":["a\"",{"b":1},2],"texts":["x","y"],"last":true}"#)
    }

    @Test func `nothing is null and whole numbers have no fraction`() {
        let text = Self.text { writer in
            writer.object { writer in
                writer.member("text", nil as String?)
                writer.member("number", nil as Double?)
                writer.member("bytes", raw: nil as [UInt8]?)
                writer.member("slice", raw: nil as ArraySlice<UInt8>?)
                writer.member("infinite", .infinity as Double?)
                writer.member("whole", 3 as Double?)
                writer.member("part", 1.5 as Double?)
            }
        }
        #expect(
            text
                == #"{"text":null,"number":null,"bytes":null,"slice":null,"infinite":null,"whole":3,"part":1.5}"#)
    }

    @Test func `bytes that are written already stay as they are`() {
        let written = Array(#"{"n\u00e9":[1.50, "x"]}"#.utf8)
        let text = Self.text { writer in
            writer.object { writer in
                writer.member("a\"", raw: written)
                writer.member("b", raw: written[11...21])
                writer.member(rawName: written[2...8], raw: written[12...15])
                writer.member("c", 1)
            }
        }
        #expect(text == #"{"a\"":{"n\u00e9":[1.50, "x"]},"b":[1.50, "x"],"n\u00e9":1.50,"c":1}"#)
    }

    /// What is there already needs no comma: its writer has set one or none.
    @Test func `bytes are appended to others`() {
        var out = Array("[".utf8)
        JSONWriter.append(to: &out) { $0.object { $0.member("a", 1) } }
        out.append(UInt8(ascii: ","))
        JSONWriter.append(to: &out) { $0.object { $0.member("b", 2) } }
        #expect(String(decoding: out, as: UTF8.self) == #"[{"a":1},{"b":2}"#)
    }
}
