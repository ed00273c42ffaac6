import Testing

@testable import Common
@testable import Upstream

@Suite struct ResponseFrameWireTests {
    @Test(arguments: ResponseFrame.samples)
    func `comes back whole`(_ frame: ResponseFrame) throws {
        #expect(try ResponseFrame(wireBytes: frame.wireBytes) == frame)
    }

    @Test(arguments: ResponseFrame.samples)
    func `truncation and damage are refused or another frame`(_ frame: ResponseFrame) {
        let bytes = frame.wireBytes
        for length in 0..<bytes.count { #expect((try? ResponseFrame(wireBytes: Array(bytes[..<length]))) != frame) }
        for position in bytes.indices {
            for mask in [0x01, 0x80, 0xFF] as [UInt8] {
                var damaged = bytes
                damaged[position] ^= mask
                #expect((try? ResponseFrame(wireBytes: damaged)) != frame)
            }
        }
    }

    @Test func `skips tags of a later version`() throws {
        var writer = WireWriter(reserving: 0)
        writer.field(200, "later")
        for frame in ResponseFrame.samples {
            #expect(try ResponseFrame(wireBytes: writer.bytes + frame.wireBytes + writer.bytes) == frame)
        }
    }

    @Test func `refuses a frame without number`() {
        #expect(throws: WireError.missingField) { try ResponseFrame(wireBytes: []) }
    }

    /// An HTTP server that is told to send such a status would trap.
    @Test(arguments: [0, 99, 1000, .max] as [UInt64])
    func `refuses a status that is none`(_ status: UInt64) {
        var writer = WireWriter(reserving: 0)
        writer.field(1, UInt64(0))
        writer.field(2, status)
        #expect(throws: WireError.badField) { try ResponseFrame(wireBytes: writer.bytes) }
    }

    @Test(arguments: [1, 2, 4])
    func `refuses an error of another form`(_ parts: Int) {
        var writer = WireWriter(reserving: 0)
        writer.field(1, UInt64(0))
        for _ in 0..<parts { writer.field(6, "part") }
        #expect(throws: WireError.badField) { try ResponseFrame(wireBytes: writer.bytes) }
    }

    @Test func `a refusal carries the errors headers and body`() throws {
        let error = GatewayError(
            status: 503, type: "server_error", code: "c", message: "m", retryAfter: 99, shouldRetry: false)
        let frame = ResponseFrame(refusal: error)
        let head = try #require(frame.head)
        #expect(head.status == 503)
        #expect(head.headers.first(named: "Content-Type") == "application/json")
        #expect(head.headers.first(named: "retry-after") == "60")
        #expect(head.headers.first(named: "x-should-retry") == "false")
        #expect(frame.body == error.json && frame.end == .complete && frame.sequence == 0)
    }

    @Test func `a last word serves a client with and without a beginning`() throws {
        let frame = try ResponseFrame(wireBytes: ResponseFrame(lastWord: .broken).wireBytes)
        #expect(frame.sequence == .max && frame.head?.status == 502 && frame.body == GatewayError.broken.json)
        #expect(frame.end == .brokenOff(.broken))
    }
}
