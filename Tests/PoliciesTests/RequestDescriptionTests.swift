import Common
import TestSupport
import Testing

@testable import Policies

/// Requests as they are described to be explained.
@Suite struct RequestDescriptionTests {
    private static func read(
        _ text: String, headers: [MetadataHeader] = [], namesSender: Bool = true
    ) throws(GatewayError) -> RequestDescription {
        try RequestDescription(
            Array(text.utf8), headers: headers, namesSender: namesSender, maximumDepth: 16)
    }

    @Test func `all of it is read`() throws {
        let read = try Self.read(
            #"""
            {"model": "p/m", "metadata": {"team": "red"}, "headers": {"X-Litellm-Tags": "beta"}, "rollout_id": "r a",
             "invocation_id": "i", "experiment_id": "e", "run_id": "n", "row_id": "1",
             "body": {"max_tokens": 5, "messages": []}, "account": "a", "user": "u", "teams": ["t"]}
            """#, headers: [.litellm])
        #expect(read.model == "p/m" && read.carried.entries.map(\.tag) == ["team:red", "tag.beta:true"])
        #expect(read.rollout == RolloutIDs(rollout: "r a", invocation: "i", experiment: "e", run: "n", row: "1"))
        #expect(read.body == Array(#"{"max_tokens": 5, "messages": []}"#.utf8) && !read.hasBaseURL)
        #expect(read.sender == .account("a", user: "u", teams: ["t"]))
    }

    @Test func `a path says the same as its ids`() throws {
        let base = "/v1/project_id/p/rollout_id/r/invocation_id/i/experiment_id/e/run_id/n/row_id/1"
        let read = try Self.read(#"{"path": "\#(base)/chat/completions?x=1", "body": {"model": "m"}}"#)
        #expect(read.rollout?.run == "n" && read.model == "m" && read.sender == .own && !read.hasBaseURL)
        let url = try Self.read(
            #"{"path": "\#(base)/encoded_base_url/aHR0cDovL2E/chat/completions", "model": "m"}"#)
        #expect(url.hasBaseURL)
        #expect(try Self.read(#"{"path": "/v1/files"}"#).model == nil)
        #expect(try Self.read(#"{"model": "m", "headers": {"x-tfy-metadata": "{\"a\":\"b\"}"}}"#).carried["a"] != nil)
        #expect(try Self.read(#"{"model": "m", "key": "k"}"#).sender == .key(id: "k"))
    }

    /// Either switch that says no counts.
    @Test(
        arguments: [
            (#"{"model": "m"}"#, nil),
            (#"{"model": "m", "headers": {"X-TFY-Logging-Config": "{\"enabled\": false}"}}"#, .header),
            (#"{"model": "m", "headers": {"x-tfy-logging-config": "{\"enabled\": true}"}}"#, nil),
            (#"{"model": "m", "metadata": {"tfy_log_request": "false"}}"#, .metadata),
            (#"{"model": "m", "headers": {"x-tfy-metadata": "{\"tfy_log_request\": \"false\"}"}}"#, .metadata),
            (
                #"{"model": "m", "metadata": {"tfy_log_request": "false"},"#
                    + #" "headers": {"x-tfy-logging-config": "{\"enabled\": true}"}}"#, .metadata
            ),
        ] as [(String, LoggingSwitch.Carrier?)])
    func `a switch of logging is read`(text: String, denial: LoggingSwitch.Carrier?) throws {
        let read = try Self.read(text)
        #expect(read.denial == denial && read.carried.entries.isEmpty)
    }

    @Test func `a switch that cannot be kept is told as a request's would be`() throws {
        let error = try #require(throws: GatewayError.self) {
            try Self.read(#"{"model": "m", "headers": {"x-tfy-logging-config": "{\"enable\": false}"}}"#)
        }
        #expect(error.code == "invalid_metadata" && error.param == "x-tfy-logging-config")
    }

    /// Each mistake names its member and what repairs it.
    @Test(
        arguments: [
            (#"{"modle": "m"}"#, "modle", "Did you mean `model`?"),
            (#"{}"#, "model", "is missing"),
            (#"{"model": 1}"#, "model", "is a number"),
            (#"{"model": ""}"#, "model", "has no text"),
            (#"{"model": "m", "body": {"model": "n"}}"#, "model", "another one"),
            (#"{"model": "m", "body": []}"#, "body", "an array"),
            (#"{"model": "m", "body": {"a": 1, "a": 2}}"#, "body", "twice"),
            (#"{"model": "m", "metadata": {"team": 1}}"#, "metadata", "`team`"),
            (#"{"model": "m", "metadata": [1]}"#, "metadata", "an array"),
            (#"{"model": "m", "headers": {"authorization": "x"}}"#, "headers.authorization", "carries no metadata"),
            (
                #"{"model": "m", "headers": {"x-tfy-logging-config": "{}", "X-TFY-Logging-Config": "{}"}}"#,
                "headers.X-TFY-Logging-Config", "a second time"
            ),
            (#"{"model": "m", "headers": {"cf-aig-metadata": "{}"}}"#, "headers.cf-aig-metadata", "METADATA_HEADERS"),
            (#"{"model": "m", "headers": {"x-tfy-metadata": 1}}"#, "headers", "string"),
            (
                #"{"model": "m", "metadata": {}, "headers": {"X-TFY-METADATA": "{}"}}"#, "headers.X-TFY-METADATA",
                "second time"
            ),
            (#"{"model": "m", "path": "chat"}"#, "path", "begin with"),
            (#"{"model": "m", "path": "/x", "row_id": "1"}"#, "row_id", "already"),
            (#"{"model": "m", "row_id": "1"}"#, "rollout_id", "is missing"),
            (#"{"model": "m", "user": "u"}"#, "user", "needs `account`"),
            (#"{"model": "m", "account": "a", "teams": [1]}"#, "teams", "list of strings"),
            (#"{"model": "m", "key": "k", "account": "a"}"#, "account", "what the `key` says"),
        ])
    func `a mistake says how to repair it`(text: String, member: String, part: String) throws {
        let error = try #require(throws: GatewayError.self) { try Self.read(text) }
        #expect(error.status == 400 && error.code == "invalid_description" && error.param == member, "\(error)")
        #expect(error.message.contains(part), "\(error.message)")
    }

    @Test(arguments: ["key", "account", "user", "teams"]) func `who asks is explained`(member: String) throws {
        let error = try #require(throws: GatewayError.self) {
            try Self.read(#"{"model": "m", "\#(member)": "x"}"#, namesSender: false)
        }
        #expect(error.param == member && error.message.contains("explained as yours"))
        #expect(error.message.contains("Known") == false)
    }

    @Test func `a bad id or text is told as a request's would be`() throws {
        let path = try #require(throws: GatewayError.self) {
            try Self.read(
                #"{"model": "m", "rollout_id": "a/b", "invocation_id": "i", "experiment_id": "e", "run_id": "n", "row_id": "1"}"#
            )
        }
        #expect(path.code == "invalid_path" && path.message.contains("rollout_id"))
        #expect(throws: GatewayError.self) { try Self.read("[]") }
        #expect(throws: GatewayError.self) { try Self.read("") }
    }
}
