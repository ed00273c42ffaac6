import Common
import Compression
import HTTPTypes
import Ingress
import TestSupport
import Testing

/// Bodies of requests with a `Content-Encoding`.
@Suite(.timeLimit(.minutes(5))) struct CompressedBodyTests {
    private static let body = Compressed.text
    private static let labels: [(String, [UInt8])] = [
        ("gzip", Compressed.gzip), ("GZip", Compressed.gzip), ("x-gzip", Compressed.gzip),
        ("deflate", Compressed.zlib), ("Deflate", Compressed.raw), ("identity", Array(Compressed.text.utf8)),
        ("identity, gzip", Compressed.gzip), ("zstd", Compressed.zstd),
    ]

    private func call(
        _ ingress: LiveIngress, target: String, label: String, more: [String] = [], body: [UInt8]
    ) async throws -> HTTPAnswer {
        try await ingress.connect { client in
            let lines = ["POST \(target) HTTP/1.1", "Host: g", "Content-Length: \(body.count)"] + more
            let head = (lines + ["Content-Encoding: \(label)"]).joined(separator: "\r\n") + "\r\n\r\n"
            try await client.send(Array(head.utf8) + body)
            return try await client.answer()
        }
    }

    @Test(arguments: labels, [LiveIngress.path, "/v1/chat/completions", "/v1/embeddings"])
    func `a body is undone and its label taken off`(form: (String, [UInt8]), path: String) async throws {
        guard form.0 != "zstd" || ContentCoding.zstd.isAvailable else { return }
        try await LiveIngress.run { ingress in
            async let reply = call(
                ingress, target: path, label: form.0, more: ["Content-Type: application/json"], body: form.1)
            let taken = try await ingress.forwarder.take()
            #expect(taken.job.body == Array(Self.body.utf8) && taken.job.model == "openai/gpt")
            #expect(taken.job.headers.first(named: "content-encoding") == nil)
            #expect(taken.job.headers.first(named: "content-type") == "application/json")
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await reply.status == 200)
        }
    }

    @Test func `several codings are undone in their order`() async throws {
        let twice = try #require(Gzip.compress(Compressed.zlib))
        try await LiveIngress.run { ingress in
            for labels in ["deflate, gzip", "deflate\r\nContent-Encoding: gzip"] {
                async let reply = call(ingress, target: LiveIngress.path, label: labels, body: twice)
                let taken = try await ingress.forwarder.take()
                #expect(taken.job.body == Array(Self.body.utf8))
                try await ingress.forwarder.answer(taken, body: "{}")
                #expect(try await reply.status == 200)
            }
            let answer = try await call(ingress, target: LiveIngress.path, label: "gzip, deflate", body: twice)
            #expect(answer.status == 400 && answer.error?.code == "invalid_encoding")
            #expect(answer.text.contains("`deflate`, coding 2 of 2"), "\(answer.text)")
            let many = try await call(ingress, target: LiveIngress.path, label: "gzip,gzip,gzip,gzip,gzip", body: twice)
            #expect(many.status == 400 && many.error?.code == "invalid_encoding")
        }
    }

    @Test(
        arguments: ["br", "compress", "utf-8", "gzip, br", "BR, gzip", "*"], [LiveIngress.path, "/v1/files", "/logs"])
    func `another coding is 415`(label: String, path: String) async throws {
        try await LiveIngress.run { ingress in
            let answer = try await call(ingress, target: path, label: label, body: Compressed.brotli)
            #expect(answer.status == 415 && answer.error?.code == "unsupported_encoding", "\(answer.text)")
            let taken = ContentCoding.zstd.isAvailable ? "gzip, deflate, zstd" : "gzip, deflate"
            #expect(answer["accept-encoding"] == taken)
            #expect(answer.text.contains(taken))
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test(arguments: ["gzip", "deflate", "zstd"], [LiveIngress.path, "/v1/embeddings", "/logs", "/v1/rules/explain"])
    func `what is not in its coding is 400`(label: String, path: String) async throws {
        guard label != "zstd" || ContentCoding.zstd.isAvailable else { return }
        let whole = ["gzip": Compressed.gzip, "deflate": Compressed.zlib, "zstd": Compressed.zstd][label] ?? []
        try await LiveIngress.run { ingress in
            for bad in [Array(whole.dropLast(3)), whole + [0], Array(Self.body.utf8), [1], [0x1F, 0x8B]] {
                let answer = try await call(ingress, target: path, label: label, body: bad)
                #expect(answer.status == 400 && answer.error?.code == "invalid_encoding", "\(answer.text)")
                #expect(answer.text.contains("`\(label)`"), "\(answer.text)")
            }
            #expect(try await ingress.queued() == 0)
        }
    }

    @Test func `a bomb is stopped`() async throws {
        let bomb = try #require(Gzip.compress([UInt8](repeating: 0x20, count: 8 << 20)))
        try await LiveIngress.run({ $0.settings.http.maxBodyBytes = 1 << 20 }) { ingress in
            for path in [LiveIngress.path, "/v1/embeddings", "/logs", "/rules/explain"] {
                let answer = try await call(ingress, target: path, label: "gzip", body: bomb)
                #expect(answer.status == 413 && answer.error?.code == "body_too_large", "\(answer.text)")
                #expect(answer.text.contains("decompressed"))
            }
            let nested = try #require(Gzip.compress(bomb))
            #expect(try await call(ingress, target: LiveIngress.path, label: "gzip, gzip", body: nested).status == 413)
            #expect(try await ingress.call("GET", "/health").status == 200)
        }
    }

    /// What a body becomes needs room among the large ones, and leaves it.
    @Test func `what a body becomes needs room`() async throws {
        let body = try #require(Gzip.compress(Array(Self.body.utf8) + [UInt8](repeating: 0x20, count: 200_000)))
        try await LiveIngress.run({ ($0.settings.http.maxBodyBytes, $0.settings.http.uploadBytes) = (1 << 20, 100_000) }
        ) {
            ingress in
            let answer = try await call(ingress, target: LiveIngress.path, label: "gzip", body: body)
            #expect(answer.status == 429 && answer.error?.code == "uploads_full")
        }
        try await LiveIngress.run({ ($0.settings.http.maxBodyBytes, $0.settings.http.uploadBytes) = (1 << 20, 300_000) }
        ) {
            ingress in
            for _ in 0..<3 {
                async let reply = call(ingress, target: LiveIngress.path, label: "gzip", body: body)
                try await ingress.forwarder.answer(next: 1) { "\($0.body.count)" }
                #expect(try await reply.text == "\(200_000 + Self.body.utf8.count)")
            }
        }
    }

    @Test func `an empty body has no coding`() async throws {
        try await LiveIngress.run { ingress in
            async let reply = call(ingress, target: "/v1/files", label: "gzip", body: [])
            let taken = try await ingress.forwarder.take()
            #expect(taken.job.body.isEmpty && taken.job.headers.first(named: "content-encoding") == nil)
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await reply.status == 200)
        }
    }

    @Test func `logs are read too`() async throws {
        let entry = #"{"program":"p","tags":["rollout_id:r1"],"message":"compressed","status":null}"#
        let body = try #require(Gzip.compress(Array(entry.utf8)))
        try await LiveIngress.run { (ingress) async throws in
            #expect(try await call(ingress, target: "/v1/logs", label: "gzip", body: body).status == 200)
            #expect(try await ingress.call("GET", "/logs?tags=rollout_id:r1").text.contains("compressed"))
        }
    }

    /// The same request under an `Idempotency-Key` is the same, however it was sent; and hooks see it as it is.
    @Test func `codings are no part of the request`() async throws {
        let hook = ExtensionTests.Hook { call in
            #expect(call.headers[.contentEncoding] == nil && call.body == Array(Self.body.utf8))
        }
        try await LiveIngress.run({ $0.extensions.chatHooks = [hook] }) { ingress in
            let key = ["Idempotency-Key: k"]
            async let first = call(ingress, target: LiveIngress.path, label: "gzip", more: key, body: Compressed.gzip)
            let taken = try await ingress.forwarder.take()
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await first.status == 200)
            let second = try await call(
                ingress, target: LiveIngress.path, label: "deflate", more: key, body: Compressed.zlib)
            #expect(second.status == 200 && second["x-insertion-id"] == taken.job.insertionID.description)
        }
    }
}
