internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Upstream

extension PendingResponse {
    /// The answer as the client gets it: a short one whole, a longer one as it comes.
    /// - Parameter numbering: numbers the events of an answer that is a stream of them.
    func response(_ outcome: DeliveryOutcome, numbering: EventNumbering? = nil) async throws -> Response {
        let first: ResponseFrame
        do throws(Waiter.Ending) { first = try await next() } catch {
            outcome.finished()
            throw GatewayError(error)
        }
        guard let head = first.head else {
            outcome.finished()
            if case .brokenOff(let error)? = first.end { throw error }
            throw GatewayError.internalError
        }
        let isEventStream = head.isEventStream
        var response = Response(status: .init(code: head.status), headers: HTTPFields(head.headers))
        if case .complete? = first.end, !isEventStream || numbering == nil {
            outcome.finished()
            response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: first.body))
        } else {
            response.body = body(
                from: first, outcome, isEventStream: isEventStream, numbering: isEventStream ? numbering : nil)
        }
        return response
    }

    /// The answer from a frame that is here to its end.
    private func body(
        from first: ResponseFrame, _ outcome: DeliveryOutcome, isEventStream: Bool, numbering: EventNumbering?
    ) -> ResponseBody {
        ResponseBody { [self] writer in
            var frame = first
            var body = PendingResponseBody(isEventStream: isEventStream, numbering: numbering)
            do {
                while true {
                    if !frame.body.isEmpty {
                        let bytes = body.take(frame.body)
                        if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
                        took(frame.body.count)
                    }
                    if let end = frame.end {
                        outcome.finished()
                        let rest = try body.rest(before: end)
                        if !rest.isEmpty { try await writer.write(ByteBuffer(bytes: rest)) }
                        return try await writer.finish(nil)
                    }
                    do throws(Waiter.Ending) { frame = try await next() } catch {
                        frame = ResponseFrame(sequence: .max, end: .brokenOff(GatewayError(error)))
                    }
                }
            } catch {
                if frame.end == nil { outcome.abandoned() }
                throw error
            }
        }
    }
}

extension HTTPFields {
    /// The headers that a forwarder let through.
    init(_ headers: [HeaderField]) {
        self.init()
        for header in headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            append(HTTPField(name: name, value: header.value))
        }
    }
}

extension GatewayError {
    /// The error for a client whose wait ended without an answer.
    init(_ ending: Waiter.Ending) {
        switch ending {
        case .disconnected:
            self.init(
                status: 499, type: "server_error", code: "client_closed_request",
                message: "The client closed its connection.")
        case .deadline:
            self.init(
                status: 504, type: "server_error", code: "no_answer_in_time",
                message:
                    "No forwarder answered within REQUEST_TIMEOUT. See /ready for live forwarders; the call may have been made.",
                shouldRetry: false)
        case .stopped:
            self.init(
                status: 503, type: "server_error", code: "shutting_down",
                message: "This ingress is stopping, and the call may have been made.", retryAfter: 1, shouldRetry: false
            )
        }
    }
}
