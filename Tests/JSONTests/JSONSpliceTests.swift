import Testing

@testable import Common
@testable import JSON

@Suite struct JSONSpliceTests {
    private func splice(_ text: String, _ edit: (inout JSONSplice) throws -> Void) throws -> String {
        var splice = JSONSplice(try JSONObject.scan(Array(text.utf8), maximumDepth: 16))
        try edit(&splice)
        return String(decoding: splice.result(), as: UTF8.self)
    }

    @Test(arguments: ["{}", " { } \n", "\n{ \"a\" :\t1.0 ,\"b\":[ ] }\n", #"{"a":1e400,"\u0061b":"\/"}"#])
    func `without edits nothing changes`(text: String) throws {
        #expect(try splice(text) { _ in } == text)
        #expect(try splice(text) { $0.remove("absent") } == text)
        let appended = try splice(text) { try $0.append([], to: "tags", in: "metadata") }
        #expect(appended == text)
    }

    @Test func `replaces a value alone`() throws {
        let text = #" { "model" : "a/b", "n": 1.0 } "#
        #expect(try splice(text) { $0.set("model", to: Array(#""b""#.utf8)) } == #" { "model" : "b", "n": 1.0 } "#)
        #expect(try splice(#"{"mod\u0065l":1}"#) { $0.set("model", to: Array("2".utf8)) } == #"{"mod\u0065l":2}"#)
        let object = try JSONObject.scan(Array(text.utf8), maximumDepth: 16)
        var edited = JSONSplice(object)
        edited.replace(object.members[1], with: Array("2".utf8))
        #expect(String(decoding: edited.result(), as: UTF8.self) == #" { "model" : "a/b", "n": 2 } "#)
    }

    static let removals: [(text: String, names: [String], result: String)] = [
        (#"{"a":1}"#, ["a"], "{}"), (#"{ "a":1 }"#, ["a"], "{ }"), (#"{"a":1,"b":2,"c":3}"#, ["a"], #"{"b":2,"c":3}"#),
        (#"{"a":1,"b":2,"c":3}"#, ["b"], #"{"a":1,"c":3}"#), (#"{"a":1,"b":2,"c":3}"#, ["c"], #"{"a":1,"b":2}"#),
        (#"{"a":1,"b":2,"c":3}"#, ["a", "b"], #"{"c":3}"#), (#"{"a":1,"b":2,"c":3}"#, ["c", "b"], #"{"a":1}"#),
        (#"{"a":1,"b":2,"c":3}"#, ["a", "c"], #"{"b":2}"#), (#"{"a":1,"b":2,"c":3}"#, ["b", "a", "c"], "{}"),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", ["a"], "{\n  \"b\": 2\n}\n"),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", ["b"], "{\n  \"a\": 1\n}\n"),
        (#"{ "a" : 1 , "b" : 2 , "c" : 3 }"#, ["b"], #"{ "a" : 1 , "c" : 3 }"#),
    ]

    @Test(arguments: removals) func `removes with the comma`(text: String, names: [String], result: String) throws {
        let edited = try splice(text) { splice in
            for name in names { splice.remove(name) }
        }
        #expect(edited == result)
    }

    @Test func `adds behind the others`() throws {
        let value = Array("1".utf8)
        #expect(try splice("{}") { $0.set("a", to: value) } == #"{"a":1}"#)
        #expect(try splice("{ }") { $0.set("a", to: value) } == #"{"a":1 }"#)
        #expect(try splice(#"{"x":0}"#) { $0.set("a\"\n", to: value) } == #"{"x":0,"a\"\n":1}"#)
        let replaced = try splice(#"{"x":0}"#) {
            $0.remove("x")
            $0.set("a", to: value)
            $0.set("b", to: value)
        }
        #expect(replaced == #"{"a":1,"b":1}"#)
    }

    @Test func `lets the last edit count`() throws {
        let (one, two) = (Array("1".utf8), Array("2".utf8))
        let edited = try splice(#"{"x":0,"y":0}"#) {
            $0.set("x", to: one)
            $0.set("x", to: two)
            $0.remove("y")
            $0.set("y", to: one)
            $0.set("new", to: one)
            $0.set("new", to: two)
            $0.set("gone", to: one)
            $0.remove("gone")
        }
        #expect(edited == #"{"x":2,"y":1,"new":2}"#)
    }

    static let appends: [(text: String, result: String)] = [
        ("{}", #"{"metadata":{"tags":["r",1]}}"#), (#"{"a":1}"#, #"{"a":1,"metadata":{"tags":["r",1]}}"#),
        (#"{"metadata":null}"#, #"{"metadata":{"tags":["r",1]}}"#),
        (#"{"metadata":{}}"#, #"{"metadata":{"tags":["r",1]}}"#),
        (#"{"metadata":{"k":"v"}}"#, #"{"metadata":{"k":"v","tags":["r",1]}}"#),
        (#"{"metadata":{"tags":null}}"#, #"{"metadata":{"tags":["r",1]}}"#),
        (#"{"metadata":{"tags":[]}}"#, #"{"metadata":{"tags":["r",1]}}"#),
        (#"{"metadata":{"tags":["x" ]},"z":0}"#, #"{"metadata":{"tags":["x","r",1 ]},"z":0}"#),
        (
            "{ \"metadata\" : { \"tags\" : [ 1.0 ,\n \"x\" ] , \"k\":0 } }",
            "{ \"metadata\" : { \"tags\" : [ 1.0 ,\n \"x\",\"r\",1 ] , \"k\":0 } }"
        ),
        (#"{"m\u0065tadata":{"t\u0061gs":[{}]}}"#, #"{"m\u0065tadata":{"t\u0061gs":[{},"r",1]}}"#),
    ]

    @Test(arguments: appends) func `appends to a nested array`(text: String, result: String) throws {
        let appended = try splice(text) {
            try $0.append([Array(#""r""#.utf8), Array("1".utf8)], to: "tags", in: "metadata")
        }
        #expect(appended == result)
    }

    @Test func `appends to what was edited before`() throws {
        let edited = try splice(#"{"metadata":{"tags":["old"]}}"#) {
            $0.set("metadata", to: Array(#"{"tags":["new"]}"#.utf8))
            try $0.append([Array("1".utf8)], to: "tags", in: "metadata")
            try $0.append([Array("2".utf8)], to: "tags", in: "metadata")
            try $0.append([Array("3".utf8)], to: "tags", in: "added")
            try $0.append([Array("4".utf8)], to: "tags", in: "added")
        }
        #expect(edited == #"{"metadata":{"tags":["new",1,2]},"added":{"tags":[3,4]}}"#)
        let afterRemoval = try splice(#"{"metadata":{"tags":["old"]}}"#) {
            $0.remove("metadata")
            try $0.append([Array("1".utf8)], to: "tags", in: "metadata")
        }
        #expect(afterRemoval == #"{"metadata":{"tags":[1]}}"#)
    }

    static let wrongKinds: [(text: String, code: String, param: String)] = [
        (#"{"metadata":"x"}"#, "invalid_type", "metadata"), (#"{"metadata":[]}"#, "invalid_type", "metadata"),
        (#"{"metadata":{"tags":"x"}}"#, "invalid_type", "metadata.tags"),
        (#"{"metadata":{"tags":{}}}"#, "invalid_type", "metadata.tags"),
        (#"{"metadata":{"tags":[],"tags":[]}}"#, "duplicate_key", "tags"),
    ]

    @Test(arguments: wrongKinds) func `refuses to append to another kind`(text: String, code: String, param: String) {
        let error = #expect(throws: GatewayError.self) {
            try splice(text) { try $0.append([Array("1".utf8)], to: "tags", in: "metadata") }
        }
        #expect(error?.status == 400 && error?.code == code && error?.param == param)
    }
}
