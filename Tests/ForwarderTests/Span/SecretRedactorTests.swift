import Common
import Foundation
import JSON
import TestSupport
import Testing

@testable import Forwarder

@Suite struct SecretRedactorTests {
    private static let mark = "[redacted]"
    /// What no test may find again. It has no known form: its name alone tells.
    private static let canary = "canary plain"
    private static let key = "sk-proj-AbC123dEf456GhI789"

    private func clean(_ json: String, keys: [String] = []) -> String {
        SecretRedactor(keys.map(SecretString.init)).clean(json)
    }

    @Test(arguments: [
        "api_key", "apiKey", "API-Key", "x-api-key", "X-Goog-Api-Key", "azure_ad_token", "hf_token", "authorization",
        "Proxy-Authorization",
        "password",
        "db_password", "client_secret", "aws_secret_access_key", "aws_access_key_id", "aws_session_token",
        "accessToken", "refresh_token", "id_token",
        "private_key", "secret", "Cookie", "credentials", "vertex_credentials", "langfuse_secret_key",
        "langfuse_public_key", "connection_string",
        "passphrase", "api_keys", "OPENAI_API_KEY", "GITHUB_TOKEN", #"api\u005fkey"#, "access.token",
    ])
    func `a name of a secret hides strings and numbers at any depth`(name: String) {
        for (before, after) in [(#"{"#, "}"), (#"{"a":[{"b":{"#, "}}]}"), (#"[[{"x":1.50,"#, "}]]")] {
            for (value, shown) in [
                ("\"canary plain\"", "\"[redacted]\""), ("1234567890", "\"[redacted]\""), ("true", "true"),
                ("null", "null"), ("\"\"", "\"\""),
                (
                    #"["canary plain",{"x":"canary plain","y":[7]}]"#,
                    #"["[redacted]",{"x":"[redacted]","y":["[redacted]"]}]"#
                ),
                (#"{ "deep" : "canary plain" }"#, #"{ "deep" : "[redacted]" }"#),
            ] {
                let text = before + "\"\(name)\":\(value),\"z\": \"kept\"" + after
                #expect(clean(text) == before + "\"\(name)\":\(shown),\"z\": \"kept\"" + after)
            }
        }
    }

    @Test(arguments: [
        #"{"max_tokens":100,"token_count":5,"tokens":["a","b"],"eos_token":"<|endoftext|>","max_tokens_per_key":3}"#,
        #"{"logit_bias":{"50256":-100},"prompt_cache_key":"user-12345678901234567890","cache_key":"ab12cd34ef56ab78cd90"}"#,
        #"{"parameters":{"type":"object","properties":{"api_key":{"type":"string","description":"The key"},"password":{"description":"p"}},"required":["api_key","password"]}}"#,
        #"{"properties":{"headers":{"type":"object","additionalProperties":{"type":"string"}},"token":{"type":["string","null"]}}}"#,
        #"{"logprobs":{"content":[{"token":"international-","logprob":-0.5,"bytes":[1,2],"top_logprobs":[{"token":"internationalism","logprob":-1}]}]}}"#,
        #"{"key":"C minor","primary_key":"id","foreign_key":"orders_2024_customer_id_01","sort_key":"created_at_20240101"}"#,
        #"{"content":"Set your API key: sk-..., or the Bearer token authentication. Use sk-learn-like-estimators, password: hunter2"}"#,
        #"{"content":"a bearer of bad news; Basic training; eyJ is how a token begins; risk-averse-decision-making-1234567890"}"#,
        #"{"content":"-----BEGIN PRIVATE KEY----- is the first line and -----END PRIVATE KEY----- the last"}"#,
        #"{"content":"see https://example.com:8080/a@b?x=1&y=2, mail me@example.com, postgres://user:$PASSWORD@host/db"}"#,
        #"{"content":"x == y; a=b&c=d; for key=value pairs; https://example.com/?q=token&page_token=1"}"#,
        #"{"headers":["Name","A long heading"],"thought_signature":"EroBCrcBAQ12ab34cd56ef78","signature":"ErUBCkYIBxgCIkD12345"}"#,
        #"{"prior_authorization":"approved by the board","fortune_cookie":"A long journey","is_secret":true,"token":"the whole text here"}"#,
        #"{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAsk+AKIA/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"}"#,
        #"{"text":"d\u00e9j\u00e0 vu \ud83d\ude00 \ud800 \/ \u003cb\u003e \"quoted\" \\n C:\\new\\table"}"#,
        #"  { "n" : 1.0e+2 , "é" : [ ] , "o" : { } }  "#, "[]", "", "0", "null", "\"\"",
    ])
    func `what is no secret stays to the byte`(text: String) {
        #expect(clean(text) == text)
        #expect(String(decoding: Self.redactor.clean(json: ByteSlice(text)).whole, as: UTF8.self) == text)
    }

    private static let redactor = SecretRedactor()

    @Test(arguments: [
        "sk-proj-AbC123dEf456GhI789", "sk-ant-api03-abcdefgh12345678-xyz", "pk-lf-01234567-89ab-cdef-0123-456789abcdef",
        "gsk_abcdefghijklmnop1234567890",
        "hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345", "AIzaSyA1234567890abcdefghijklmnopqrstuv", "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghij0123456789ABCDEFGHIJ012345",
        "xoxb-123456789012-abcdefABCDEF", "glpat-abcdefghij0123456789",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "ya29.a0AfH6SMBabcdefghij0123456789",
        "xai-abcdefghijklmnopqrst0123456789", "fw_3ZabcdefghijklmnOP0123", "sk_live_abcdefgh12345678",
        "own.key/of+the=client",
        "-----BEGIN RSA PRIVATE KEY-----\\nMIIEowIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF0a3qYyI6yG8\\nabcd==\\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7",
    ])
    func `a key is known by its form in any text`(key: String) {
        for (before, after) in [
            ("", ""), ("my key is ", ", keep it"), ("\\n", "\\n"), ("(", ")"), ("é", "é"), ("OPENAI_API_KEY=", ""),
            ("\\\"", "\\\""), ("\\\\n", ""),
            ("x: '", "'"),
            ("\\u003c", "\\u003e"), ("\\t", " "), ("?key=", ""),
        ] {
            let text = #"{"messages":[{"content":"\#(before)\#(key)\#(after)"}]}"#
            let shown = clean(text, keys: ["own.key/of+the=client"])
            #expect(shown == #"{"messages":[{"content":"\#(before)[redacted]\#(after)"}]}"#)
        }
        #expect(!clean(#"{"\#(key)":1}"#, keys: ["own.key/of+the=client"]).contains(key), "a name may be a key as well")
    }

    @Test(arguments: [
        (#""Authorization: Bearer abcdefghijkl""#, #""Authorization: Bearer [redacted]""#),
        (#""bearer 12345678""#, #""bearer [redacted]""#),
        (#""curl -H 'Authorization: Basic dXNlcjpodW50ZXIy'""#, #""curl -H 'Authorization: Basic [redacted]'""#),
        (#""postgres://bob:hunter2@db.example/x""#, #""postgres://bob:[redacted]@db.example/x""#),
        (#""https:\/\/bob:hunter2@h""#, #""https:\/\/bob:[redacted]@h""#),
        (#""redis://:hunter2@h""#, #""redis://:[redacted]@h""#),
        (#""https://x/?a=1&api_key=hunter2&b=2""#, #""https://x/?a=1&api_key=[redacted]&b=2""#),
        (#""Server=x;Password=hunter2;Port=1""#, #""Server=x;Password=[redacted];Port=1""#),
        (#""AccountName=n;AccountKey=abc+/12==;E=x""#, #""AccountName=n;AccountKey=[redacted];E=x""#),
        (#""\u0073k-proj-AbC123dEf456GhI789 \u00e9""#, #""[redacted] \u00e9""#),
    ])
    func `what surrounds a secret stays`(text: String, shown: String) {
        #expect(clean(#"{"x":\#(text)}"#) == #"{"x":\#(shown)}"#)
    }

    @Test func `headers of a tool are hidden and harmless ones stay`() {
        let text =
            #"[{"type":"mcp","server_url":"https://m","headers":{"Authorization":"opaque-value","X-Team":"opaque-value","Content-Type":"application/json","X-A":"red"},"#
            + #""server_headers":{"cookie":"a=1"}}]"#
        #expect(
            clean(text)
                == #"[{"type":"mcp","server_url":"https://m","headers":{"Authorization":"[redacted]","X-Team":"[redacted]","Content-Type":"application/json","X-A":"red"},"#
                + #""server_headers":{"cookie":"[redacted]"}}]"#)
        #expect(
            clean(#"[{"name":"Authorization","value":"opaque"},{"name":"city","value":"Bern"}]"#)
                == #"[{"name":"Authorization","value":"[redacted]"},{"name":"city","value":"Bern"}]"#)
    }

    @Test func `a schema keeps its shape and loses the default of a secret`() {
        let text =
            #"{"properties":{"api_key":{"type":"string","default":"canary plain","minLength":8},"city":{"default":"Bern"}}}"#
        #expect(clean(text) == text.replacing("canary plain", with: Self.mark))
    }

    /// Arguments of a tool's call are JSON within a string, a tool's answer may hold another within that, and either
    /// may be cut off.
    @Test(arguments: 1...4) func `json within strings is read as JSON`(level: Int) throws {
        var (text, shown) = (
            #"{"api_key":"canary plain","n":7,"t":"é \n sk-proj-AbC123dEf456GhI789"}"#,
            #"{"api_key":"[redacted]","n":7,"t":"é \n [redacted]"}"#
        )
        for _ in 0..<level {
            text = #"{"arguments":\#(String(decoding: JSONText.quoted(text), as: UTF8.self))}"#
            shown = #"{"arguments":\#(String(decoding: JSONText.quoted(shown), as: UTF8.self))}"#
        }
        #expect(clean(text) == shown)
        _ = try JSONSerialization.jsonObject(with: Data(clean(text.replacing("canary plain", with: "x")).utf8))
    }

    @Test func `json that is cut off is read as far as it goes`() {
        #expect(
            clean(#"{"arguments":"{\"api_key\":\"canary plain\",\"x\":\"y"}"#)
                == #"{"arguments":"{\"api_key\":\"[redacted]\",\"x\":\"y"}"#)
        #expect(
            clean(#"{"arguments":"{\"password\": 1234567, \"x"}"#)
                == #"{"arguments":"{\"password\": \"[redacted]\", \"x"}"#)
        #expect(clean(#"{"arguments":"{\"password\":\"canary pl"}"#) == #"{"arguments":"{\"password\":\"[redacted]"}"#)
        #expect(clean("{not JSON} but \(Self.key)") == "{not JSON} but [redacted]")
    }

    @Test func `the call's own keys are found in any form`() {
        #expect(
            clean(#"{"x":"it is fwkey-Client-0, yes"}"#, keys: ["fwkey-Client-0"]) == #"{"x":"it is [redacted], yes"}"#)
        #expect(
            clean(#"{"x":"an empty word"}"#, keys: ["empty", "word", ""]) == #"{"x":"an empty word"}"#,
            "what any text may hold is no key")
    }

    /// Neither depth nor repetition takes more than one look at each byte.
    @Test(
        .timeLimit(.minutes(5)),
        arguments: [
            "[", "{\"a\":", "sk-.", "eyJ.", "://", "://a:b", "?key=", "-----BEGIN PRIVATE KEY-----", "Bearer ", "\\\"",
            "\\\\", "\\u0041", "{\\\"",
            "[\\\"[", "_", "token_",
            "\u{323}\u{301}",
        ])
    func `hostile text takes bounded time`(piece: String) {
        let many = String(repeating: piece, count: (256 << 10) / piece.utf8.count)
        for text in [many, #"{"x":"\#(many)"}"#, #"{"\#(many)":1}"#, #"{"x":"{\#(many)"}"#] { _ = clean(text) }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `the result is JSON, with any text`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let pieces = [
            "\\\"", "\\\\", "\\n", "\\u0041", "\\/", "é", "😀", "\\ud83d\\ude00", "\\ud800", "{", "[", ":", ",", "}",
            " sk-AbCdEfGh12345678",
            "\\\"api_key\\\":", "7", "://a:bcd@e ",
            "\\\"x\\\"", "Bearer 12345678", "password",
        ]
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            let shown = Self.redactor.clean(text: ByteSlice(#"{"a":"\#(text)","password":"\#(text)","b":[1]}"#))
            let object = try JSONObject.scan(shown.whole, maximumDepth: 10)
            #expect(object.members.count == 3)
            #expect(!shown.text.contains("AbCdEfGh12345678"))
        }
    }
}

extension ByteSlice {
    var whole: [UInt8] { Array(bytes[range]) }
}
