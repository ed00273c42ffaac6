import Ingress
import TestSupport
import Testing

@testable import Common
@testable import Redis
@testable import Upstream

/// `Prefer: respond-async`: the answer is fetched later, at any ingress, by whoever asked for it.
@Suite(.timeLimit(.minutes(5))) struct BackgroundTests {
    private static let prefer = ["Prefer: wait=5, respond-async"]

    /// Asks for a completion in the background.
    private func accept(
        _ ingress: LiveIngress, _ path: String = LiveIngress.path, body: String = LiveIngress.body
    ) async throws -> String {
        let answer = try await ingress.call("POST", path, headers: Self.prefer, body: body)
        #expect(answer.status == 202)
        #expect(answer["preference-applied"] == "respond-async")
        #expect(answer["retry-after"] == "1")
        return try #require(answer["location"])
    }

    @Test func `is accepted waited for and fetched as often as one likes`() async throws {
        try await LiveIngress.run { ingress in
            let first = try await accept(ingress)
            let second = try await accept(ingress)
            #expect(first.hasPrefix("/v1/jobs/"))
            #expect(try await ingress.call("GET", first).text.contains(#""status":"queued","position":1,"#))
            #expect(try await ingress.call("GET", second).text.contains(#""status":"queued","position":2,"#))
            let taken = try await ingress.forwarder.take()
            #expect(first.hasSuffix(taken.job.insertionID.description))
            #expect(try await ingress.redis.send(RedisCommand("SMEMBERS", "r1")).array?.count == 2)
            let running = try await ingress.call("GET", first)
            #expect(running.status == 202)
            #expect(
                running.text.replacing(/"age_seconds":[0-9]+\.[0-9]+\}/, with: #""age_seconds":0.0}"#)
                    == #"{"id":"\#(taken.job.insertionID)","object":"job","status":"running","position":0,"age_seconds":0.0}"#
            )
            #expect(try await ingress.call("GET", second).text.contains(#""position":1,"#))
            try await ingress.forwarder.answer(
                taken, status: 201, headers: [HeaderField("content-type", "text/x")], body: "the answer")
            for _ in 0..<3 {
                let answer = try await ingress.call("GET", first)
                #expect(answer.status == 201 && answer.text == "the answer" && answer["content-type"] == "text/x")
            }
        }
    }

    /// Redis goes away between the two steps, or refuses the second alone as here. The job runs in any case.
    @Test func `a job that is queued is accepted though its place cannot be read`() async throws {
        try await LiveIngress.run { ingress in
            _ = try await ingress.redis.send(RedisCommand("ACL", "SETUSER", "default", "-hmget"))
            let location = try await accept(ingress)
            #expect(try await ingress.queued() == 1)
            #expect(try await ingress.call("GET", location).status == 503, "its record cannot be read")
            _ = try await ingress.redis.send(RedisCommand("ACL", "SETUSER", "default", "+hmget"))
            #expect(try await ingress.call("GET", location).text.contains(#""status":"queued","position":1,"#))
        }
    }

    /// A client that comes later is told the error, and not the first bytes, which are kept.
    @Test(arguments: [true, false]) func `an answer that failed in its middle is an error`(
        isTakenOver: Bool
    ) async throws {
        try await LiveIngress.run { ingress in
            let key = ["Idempotency-Key: k", "Prefer: respond-async"]
            let accepted = try await ingress.call("POST", LiveIngress.path, headers: key, body: LiveIngress.body)
            let location = try #require(accepted["location"])
            let taken = try await ingress.forwarder.take()
            let head = UpstreamHead(status: 200, headers: [HeaderField("content-type", "application/json")])
            try await ingress.forwarder.send(
                ResponseFrame(sequence: 0, head: head, body: Array(#"{"half":"#.utf8)), of: taken)
            let error = GatewayError(status: 502, type: "server_error", code: "test", message: "It broke.")
            let end = isTakenOver ? ResponseFrame(lastWord: error) : ResponseFrame(sequence: 1, end: .brokenOff(error))
            try await ingress.forwarder.finish(taken, with: end)
            let repeated = ["Idempotency-Key: k"]
            for answer in [
                try await ingress.call("GET", location),
                try await ingress.call("GET", location, headers: ["Accept: text/event-stream"]),
                try await ingress.call("GET", location + "?wait=1"),
                try await ingress.call("POST", LiveIngress.path, headers: repeated, body: LiveIngress.body),
            ] {
                #expect(answer.status == 502 && answer.error?.code == "test", "\(answer.text)")
                #expect(answer["x-insertion-id"] == taken.job.insertionID.description)
            }
        }
    }

    /// Whoever fetches it here is told; a newer ingress can hand it out.
    @Test func `an answer of a later version is not waited for`() async throws {
        try await LiveIngress.run { ingress in
            let location = try await accept(ingress)
            let id = try #require(InsertionID(String(location.suffix(36))))
            var place = Envelope.Context.frame(id)
            place.version = 2
            let frame = ResponseFrame(sequence: 0, head: UpstreamHead(status: 200), body: [1], end: .complete)
            let sealed = try ingress.forwarder.envelope.seal(frame.wireBytes, for: place)
            _ = try await ingress.redis.send(
                RedisCommand("XADD", Keys.response(id), "*", "i", id.description, "p", sealed))
            let answer = try await ingress.call("GET", location)
            #expect(answer.status == 502 && answer.error?.code == "answer_unreadable", "\(answer.text)")
            #expect(try await ingress.redis.send(RedisCommand("XLEN", Keys.response(id))).int == 1)
            #expect(try await ingress.isCancelled(id) == false)
        }
    }

    @Test func `a long poll ends with the answer`() async throws {
        try await LiveIngress.run { ingress in
            let location = try await accept(ingress)
            let taken = try await ingress.forwarder.take()
            try await ingress.connect { client in
                try await client.send("GET", location + "?wait=60")
                try await ingress.forwarder.answer(taken, body: "{}")
                #expect(try await client.answer().text == "{}")
            }
            #expect(try await ingress.call("GET", location + "?wait=0.05").text == "{}")
        }
    }

    @Test func `a long poll ends with its time`() async throws {
        try await LiveIngress.run { ingress in
            let location = try await accept(ingress)
            #expect(try await ingress.call("GET", location + "?wait=0.05").status == 202)
            for wait in ["-1", "x", "301", ""] {
                let answer = try await ingress.call("GET", location + "?wait=\(wait)")
                #expect(answer.status == 400 && answer.error?.code == "invalid_wait")
            }
        }
    }

    /// Two readers at different places of one stream, and a third that comes back behind its last event.
    @Test func `a stream is followed and resumed`() async throws {
        try await LiveIngress.run { ingress in
            let location = try await accept(ingress, body: StreamingTests.streamBody)
            let taken = try await ingress.forwarder.take()
            let accept = ["Accept: text/event-stream"]
            try await ingress.forwarder.send(
                ResponseFrame(sequence: 0, head: StreamingTests.events, body: Array("data: 1\n\ndata: 2\n".utf8)),
                of: taken)
            try await ingress.connect { first in
                try await first.send("GET", location, headers: accept)
                #expect(try await first.head().status == 200)
                #expect(try await first.chunk() == Array("data: 1\nid: 1\n\n".utf8))
                try await ingress.connect { second in
                    try await second.send("GET", location, headers: accept + ["Last-Event-ID: 1"])
                    #expect(try await second.head().status == 200)
                    try await ingress.forwarder.finish(
                        taken, with: ResponseFrame(sequence: 1, body: Array("\ndata: 3\n\n".utf8), end: .complete))
                    for client in [first, second] {
                        var rest: [UInt8] = []
                        while let chunk = try await client.chunk() { rest += chunk }
                        #expect(String(decoding: rest, as: UTF8.self) == "data: 2\nid: 2\n\ndata: 3\nid: 3\n\n")
                    }
                }
            }
            let late = try await ingress.call("GET", location, headers: accept + ["Last-Event-ID: 2"])
            #expect(late.text == "data: 3\nid: 3\n\n")
            #expect(
                try await ingress.call("GET", location, headers: accept + ["Last-Event-ID: x"]).error?.code
                    == "invalid_last_event_id")
        }
    }

    /// Far more than may wait at the ingress, for a reader that comes late and one that is there from the beginning.
    @Test func `an answer larger than its window comes whole`() async throws {
        try await LiveIngress.run({ $0.settings.http.maxBufferedBytes = 10_000 }) { ingress in
            let location = try await accept(ingress)
            let taken = try await ingress.forwarder.take()
            let pieces = (0..<50).map { [UInt8](repeating: UInt8($0), count: 4_000) }
            try await ingress.connect { early in
                try await early.send("GET", location + "?wait=60")
                for (number, piece) in pieces.enumerated() {
                    let head = number == 0 ? UpstreamHead(status: 200, headers: []) : nil
                    try await ingress.forwarder.send(
                        ResponseFrame(sequence: UInt64(number), head: head, body: piece), of: taken)
                }
                try await ingress.forwarder.finish(taken, with: ResponseFrame(sequence: 50, end: .complete))
                #expect(try await early.answer().body == pieces.flatMap { $0 })
            }
            #expect(try await ingress.call("GET", location).body == pieces.flatMap { $0 })
            let head = try await ingress.call("HEAD", location)
            #expect(head.status == 200 && head["x-insertion-id"] == taken.job.insertionID.description)
            try await ingress.untilNobodyWaits()
        }
    }

    @Test func `an answer belongs to its project`() async throws {
        try await LiveIngress.run { ingress in
            let own = try await accept(ingress, "/v1/project_id/sibling" + LiveIngress.path)
            #expect(own.hasPrefix("/v1/project_id/sibling/jobs/"))
            let foreign = own.replacing("/project_id/sibling", with: "")
            let unknown = "/v1/jobs/\(InsertionIDGenerator().next())"
            for location in [foreign, unknown] {
                for method in ["GET", "DELETE"] {
                    let answer = try await ingress.call(method, location)
                    #expect(answer.status == 404 && answer.error?.code == "unknown_job")
                }
            }
            #expect(try await ingress.call("GET", own).status == 202)
            let refused = try await ingress.call("PUT", own)
            #expect(refused.status == 405 && refused["allow"] == "GET, HEAD, DELETE")
        }
    }

    @Test func `a job is cancelled`() async throws {
        try await LiveIngress.run { ingress in
            let location = try await accept(ingress)
            let id = try await ingress.forwarder.take().job.insertionID
            let answer = try await ingress.call("DELETE", location)
            #expect(answer.status == 202)
            #expect(answer.text == #"{"id":"\#(id)","object":"job","status":"cancelling"}"#)
            try await eventually { try await ingress.isCancelled(id) }
        }
    }

    /// With ON_DISCONNECT=finish the answer is kept for a client whose connection broke.
    @Test func `what a client did not wait for is there later`() async throws {
        try await LiveIngress.run({ $0.settings.http.onDisconnect = .finish }) { ingress in
            let taken = try await ingress.connect { client in
                try await client.send("POST", LiveIngress.path, body: LiveIngress.body)
                return try await ingress.forwarder.take()
            }
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await ingress.call("GET", "/jobs/\(taken.job.insertionID)?wait=60").text == "{}")
            #expect(try await !ingress.isCancelled(taken.job.insertionID))
        }
    }

    @Test func `what is refused is not accepted`() async throws {
        try await LiveIngress.run { ingress in
            let before = try await ingress.keys()
            let answer = try await ingress.call("POST", LiveIngress.path, headers: Self.prefer, body: "no json")
            #expect(answer.status == 400)
            #expect(try await ingress.keys() == before)
        }
    }

    /// Everything that a job leaves in Redis goes by itself.
    @Test func `all keys have a life`() async throws {
        try await LiveIngress.run { ingress in
            let location = try await accept(ingress)
            let taken = try await ingress.forwarder.take()
            try await ingress.forwarder.answer(taken, body: "{}")
            #expect(try await ingress.call("GET", location + "?wait=60").status == 200)
            for key in try await ingress.keys() where key != Keys.jobs {
                #expect(try await ingress.redis.send(RedisCommand("PTTL", key)).int ?? -1 > 0, "\(key)")
            }
        }
    }

    /// No forwarder has taken it, or Redis has lost it: after its time it is no longer told to be on its way.
    @Test(arguments: [59_000, 61_000]) func `a job that never ends is lost after its time`(late: Int) async throws {
        try await LiveIngress.run { ingress in
            let location = try await accept(ingress)
            let id = try #require(location.split(separator: "/").last.flatMap { InsertionID(String($0)) })
            let deadline = Int(Timestamp.now.milliseconds) - late
            _ = try await ingress.redis.send(RedisCommand("HSET", Keys.jobRecord(id), "until", deadline))
            let answer = try await ingress.call("GET", location)
            guard late > 60_000 else { return #expect(answer.status == 202) }
            #expect(answer.status == 502 && answer.error?.code == "job_lost", "\(answer.text)")
            let events = try await ingress.call("GET", location, headers: ["Accept: text/event-stream"])
            #expect(events.status == 502 && events.error?.code == "job_lost", "\(events.text)")
        }
    }

    /// The key was replaced since: what the former one sealed is no answer that is still on its way.
    @Test(arguments: [true, false]) func `an answer of another key is lost`(isWhole: Bool) async throws {
        try await LiveIngress.run { ingress in
            let location = try await accept(ingress)
            let id = try #require(location.split(separator: "/").last.flatMap { InsertionID(String($0)) })
            let frame = ResponseFrame(
                sequence: 0, head: UpstreamHead(status: 200, headers: []), end: isWhole ? .complete : nil)
            let sealed = try Envelope(key: .random()).seal(frame.wireBytes, for: .frame(id))
            _ = try await ingress.redis.send(
                RedisCommand("XADD", Keys.response(id), "*", "i", id.description, "p", sealed))
            for headers in [[], ["Accept: text/event-stream"]] {
                let answer = try await ingress.call("GET", location + "?wait=5", headers: headers)
                #expect(answer.status == 502 && answer.error?.code == "job_lost", "\(answer.text)")
                #expect(answer.text.contains("another GATEWAY_KEY"))
            }
        }
    }
}
