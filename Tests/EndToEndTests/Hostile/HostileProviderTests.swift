import Common
import FoundationEssentials
import TestSupport
import Testing

/// A provider that does not play fair, and the whole gateway between it and a client: the client is told, memory stays
/// bounded, and the slot is free again.
@Suite(.timeLimit(.minutes(10)), .serialized) struct HostileProviderTests {
    /// One slot: what does not free it stops all that comes later.
    private static let environment = [
        "FORWARDER_CONCURRENCY": "1", "REQUEST_TIMEOUT": "300", "MAX_RESPONSE_BYTES": "\(answerLimit)",
    ]
    private static let answerLimit = 64 << 20
    /// So much more memory may an attack cost than a good call: less than what it sends, or what it would become.
    private static let memoryLimit = 48 << 20

    /// Makes each attack in turn. After each, the next call is answered and nothing is left of the last.
    private func withstand(_ attacks: [Attack], environment changes: [String: String] = [:]) async throws {
        let environment = Self.environment.merging(changes) { $1 }
        try await HostileGateway.run(environment: environment) { connection, request in
            let attack = attacks.first { request.contains(#""model": "\#($0.name)""#) }
            try await attack?.run(connection)
        } _: { gateway in
            let process = ProcessFigures(id: gateway.process.id)
            let resident = try process.resident()
            for attack in attacks {
                try await LeakCheck.around(gateway) {
                    let start = ContinuousClock.now
                    let outcome = try await gateway.call("hostile/" + attack.name, stream: attack.isStream)
                    #expect(
                        start.duration(to: .now) < .seconds(280),
                        "\(attack.name) is over before the request's time: \(outcome)")
                    #expect(attack.isRight(outcome), "\(attack.name): \(outcome)")
                    if case .complete = outcome { try await gateway.forgetRollout() }
                    try await gateway.expectGoodAnswer("after \(attack.name)")
                }
                #expect(try process.peak() - resident < Self.memoryLimit, "\(attack.name)")
            }
            #expect(try await gateway.redisMemory("used_memory_peak") < Self.memoryLimit)
        }
    }

    /// The same where an answer's beginning may lie for as long as its end may be late on a busy machine.
    private func withstandPatiently(_ attacks: [Attack]) async throws {
        try await withstand(attacks, environment: ["FLUSH_INTERVAL_MS": "10000"])
    }

    private static let tooLarge = CallOutcome.refused(status: 502, code: "answer_too_large")
    private static let malformed = CallOutcome.refused(status: 502, code: "malformed_answer")
    private static let closedEarly = CallOutcome.refused(status: 502, code: "closed_early")
    private static let tooLate = CallOutcome.refused(status: 504, code: "total_timeout")

    /// An answer that was already on its way to the client is broken off before it is too large.
    @Sendable private static func isBrokenOff(_ outcome: CallOutcome) -> Bool {
        guard case .brokenOff(let bytes) = outcome else { return false }
        return bytes <= answerLimit
    }

    @Test func `an endless body is broken off`() async throws {
        let piece = [UInt8](repeating: 0x20, count: 64 << 10)
        try await withstand([
            Attack("chunks", isRight: Self.isBrokenOff) {
                try await $0.writeForEver(
                    ScriptedServer.Connection.json + ScriptedServer.Connection.chunked,
                    ScriptedServer.Connection.chunk(piece))
            },
            Attack("until-close", isRight: Self.isBrokenOff) {
                try await $0.writeForEver(ScriptedServer.Connection.json + "\r\n", piece)
            },
            Attack("one-chunk", isRight: Self.isBrokenOff) {
                try await $0.writeForEver(
                    ScriptedServer.Connection.json + ScriptedServer.Connection.chunked + "7fffffffffffffff\r\n", piece)
            },
            Attack("announced", ends: Self.tooLarge) {
                try await $0.writeForEver(
                    ScriptedServer.Connection.json + "Content-Length: 9000000000000000000\r\n\r\n", piece)
            },
            Attack("error-body", isRight: Self.isBrokenOff) {
                try await $0.writeForEver("HTTP/1.1 500 Oh\r\n\r\n", piece)
            },
        ])
    }

    @Test func `an endless stream ends with an error event`() async throws {
        let start = ScriptedServer.Connection.events + ScriptedServer.Connection.chunked
        let end = CallOutcome.errorEvent(code: "answer_too_large")
        let event = Array(#"data: {"choices":[{"index":0,"delta":{"content":"word"}}]}"#.utf8) + Array("\n\n".utf8)
        let events = Array(repeatElement(event, count: 500).joined())
        try await withstand([
            Attack("events", isStream: true, ends: end) {
                try await $0.writeForEver(start, ScriptedServer.Connection.chunk(events))
            },
            Attack("one-event", isStream: true, ends: end) {
                try await $0.writeForEver(
                    start, ScriptedServer.Connection.chunk([UInt8](repeating: 0x61, count: 64 << 10)))
            },
            Attack("comments", isStream: true, ends: end) {
                try await $0.writeForEver(
                    start,
                    ScriptedServer.Connection.chunk(Array(repeatElement(Array(": x\n\n".utf8), count: 8000).joined())))
            },
        ])
    }

    @Test func `headers without end are refused`() async throws {
        let mebibyte = String(repeating: "a", count: 1 << 20)
        let lines = String(repeating: "X-A: aaaaaaaaaaaaaaaa\r\n", count: 50_000)
        try await withstand([
            Attack(
                "one-header", ends: Self.tooLarge,
                saying: "HTTP/1.1 200 OK\r\nX-A: \(mebibyte)\r\nContent-Length: 0\r\n\r\n"),
            Attack("many-headers", ends: Self.tooLarge, saying: "HTTP/1.1 200 OK\r\n\(lines)Content-Length: 0\r\n\r\n"),
            Attack("endless-header", ends: Self.tooLarge) {
                try await $0.writeForEver("HTTP/1.1 200 OK\r\nX-A: ", Array(mebibyte.utf8))
            },
            Attack("endless-headers", ends: Self.tooLarge) {
                try await $0.writeForEver("HTTP/1.1 200 OK\r\n", Array(lines.utf8))
            },
            Attack("endless-status", isRight: { [Self.tooLarge, Self.malformed].contains($0) }) {
                try await $0.writeForEver("HTTP/1.1 200 ", Array(mebibyte.utf8))
            },
            Attack("endless-processing", ends: Self.tooLarge) {
                try await $0.writeForEver(
                    "", Array(String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 1000).utf8))
            },
            Attack("endless-trailers", isRight: { $0 != .closed }) {
                try await $0.writeForEver(
                    ScriptedServer.Connection.json + ScriptedServer.Connection.chunked + "2\r\n{}\r\n0\r\n",
                    Array(lines.utf8))
            },
        ])
    }

    @Test func `a slow drip ends with the request's time`() async throws {
        let event = CallOutcome.errorEvent(code: "total_timeout")
        try await withstand(
            [
                Attack("head", ends: Self.tooLate) { try await $0.drip("HTTP/1.1 200 OK\r\nX-A: ", "a") },
                Attack("processing", ends: Self.tooLate) { try await $0.drip("", "HTTP/1.1 102 P\r\n\r\n") },
                Attack("body", isRight: Self.isBrokenOff) {
                    try await $0.drip(ScriptedServer.Connection.json + "Content-Length: 100000\r\n\r\n", " ")
                },
                Attack("events", isStream: true, ends: event) {
                    try await $0.drip(
                        ScriptedServer.Connection.events + ScriptedServer.Connection.chunked, "7\r\ndata: x\r\n")
                },
            ], environment: ["REQUEST_TIMEOUT": "5"])
    }

    @Test func `silence ends with the idle time`() async throws {
        let idle = CallOutcome.refused(status: 504, code: "idle_timeout")
        try await withstand(
            [
                Attack("nothing", ends: idle) { try await $0.closed() },
                Attack("half-a-head", ends: idle) {
                    try await $0.write("HTTP/1.1 200 OK\r\nContent-Le")
                    try await $0.closed()
                },
                Attack("half-a-body", ends: .brokenOff(bytes: 1)) {
                    try await $0.write(ScriptedServer.Connection.json + "Content-Length: 100\r\n\r\n{")
                    try await $0.closed()
                },
                Attack("half-a-stream", isStream: true, ends: .errorEvent(code: "idle_timeout")) {
                    try await $0.write(
                        ScriptedServer.Connection.events + ScriptedServer.Connection.chunked + "9\r\ndata: x\n\n\r\n")
                    try await $0.closed()
                },
            ], environment: ["UPSTREAM_IDLE_TIMEOUT": "5"])
    }

    @Test func `a compressed bomb is broken off`() async throws {
        let encoded = "Content-Encoding: gzip\r\n\r\n"
        try await withstand(
            [
                Attack("bomb", isRight: Self.isBrokenOff) {
                    try await $0.write(ScriptedServer.Connection.json + encoded)
                    try await $0.write(EndlessGzip.beginning)
                    while true { try await $0.write(EndlessGzip.piece) }
                },
                Attack("bomb-in-a-stream", isStream: true, ends: .errorEvent(code: "answer_too_large")) {
                    try await $0.write(ScriptedServer.Connection.events + encoded)
                    try await $0.write(EndlessGzip.beginning)
                    while true { try await $0.write(EndlessGzip.piece) }
                },
                Attack("bombs-in-bombs", ends: Self.malformed) {
                    try await $0.writeForEver(
                        ScriptedServer.Connection.json + "Content-Encoding: "
                            + Array(repeating: "gzip", count: 50).joined(separator: ", ")
                            + "\r\n\r\n",
                        EndlessGzip.beginning)
                },
                Attack("broken-gzip", ends: Self.malformed) {
                    try await $0.write(ScriptedServer.Connection.json + "Content-Length: 12\r\n" + encoded)
                    try await $0.write([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xFF, 0xFF] as [UInt8])
                },
            ], environment: ["MAX_RESPONSE_BYTES": "\(8 << 20)"])
    }

    @Test func `a wrong length is not passed on`() async throws {
        let json = ScriptedServer.Connection.json
        try await withstandPatiently([
            Attack("too-long", ends: Self.closedEarly, saying: json + "Content-Length: 100\r\n\r\n{\"a\":1}"),
            // What comes behind the announced end belongs to nobody, the next call least of all.
            Attack("too-short", ends: .complete(status: 200, bytes: 7, tail: #"{"a":1}"#)) {
                try await $0.write(
                    json + "Content-Length: 7\r\n\r\n{\"a\":1}" + HostileGateway.good.replacing("true", with: "nope"))
                try await $0.closed()
            },
            Attack(
                "twice", ends: Self.malformed, saying: json + "Content-Length: 7\r\nContent-Length: 8\r\n\r\n{\"a\":1}x"
            ),
            Attack("negative", ends: Self.malformed, saying: json + "Content-Length: -1\r\n\r\n{}"),
            Attack("no-number", ends: Self.malformed, saying: json + "Content-Length: 0x7\r\n\r\n{\"a\":1}"),
            Attack(
                "no-chunk", ends: Self.malformed,
                saying: json + ScriptedServer.Connection.chunked + "zz\r\n{}\r\n0\r\n\r\n"),
            Attack(
                "huge-chunk", ends: Self.malformed,
                saying: json + ScriptedServer.Connection.chunked + "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
            Attack("no-HTTP", ends: Self.malformed, saying: "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
            Attack(
                "switching", isRight: { [Self.malformed, Self.closedEarly].contains($0) },
                saying: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
        ])
    }

    /// Bytes pass as they are: what they mean is between provider and client. Headers that are not text of HTTP do not
    /// pass.
    @Test func `what is not UTF8 passes unchanged`() async throws {
        let bad: [UInt8] = [0x7B, 0x22, 0xFF, 0xC0, 0xAF, 0xED, 0xA0, 0x80, 0x00, 0x22, 0x7D]
        let event = Array("data: ".utf8) + bad + Array("\n\n".utf8)
        let scripts: [String: [UInt8]] = [
            "body": Array((ScriptedServer.Connection.json + "Content-Length: \(bad.count)\r\n\r\n").utf8) + bad,
            "stream": Array((ScriptedServer.Connection.events + ScriptedServer.Connection.chunked).utf8)
                + ScriptedServer.Connection.chunk(event)
                + Array("0\r\n\r\n".utf8),
            "header": Array("HTTP/1.1 200 OK\r\nX-Request-Id: a".utf8) + [0xFF, 0xC0]
                + Array("\r\nOpenAI-\u{1}: b\r\nContent-Length: 2\r\n\r\n{}".utf8),
            "reason": Array("HTTP/1.1 200 O".utf8) + [0xFF, 0x0D]
                + Array("X-Evil: 1\r\nContent-Length: 2\r\n\r\n{}".utf8),
        ]
        try await HostileGateway.run(environment: Self.environment) { connection, request in
            let script = scripts.first { request.contains(#""model": "\#($0.key)""#) }
            try await connection.write(script?.value ?? [])
        } _: { gateway in
            try await LeakCheck.around(gateway) {
                for (name, expected) in ["body": bad, "stream": event] {
                    let answer = try await withRawClient(to: gateway.port) {
                        try await $0.call(
                            "POST", "/chat/completions",
                            body: HostileGateway.body("hostile/" + name, stream: name == "stream"))
                    }
                    #expect(answer.status == 200 && answer.body == expected, "\(name)")
                }
                for name in ["header", "reason"] {
                    let answer = try await withRawClient(to: gateway.port) {
                        try await $0.call("POST", "/chat/completions", body: HostileGateway.body("hostile/" + name))
                    }
                    #expect([200, 502].contains(answer.status), "\(name): \(answer.status)")
                    #expect(answer["x-evil"] == nil)
                    #expect(
                        answer.headers.allSatisfy { $0.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } },
                        "\(answer.headers)")
                    try await gateway.expectGoodAnswer()
                }
            }
        }
    }
}
