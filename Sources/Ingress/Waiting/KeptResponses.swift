internal import Common
internal import Queue
internal import Upstream

/// The states of answers that are kept under their jobs' own keys, without following them.
struct KeptResponses: Sendable {
    enum State: Sendable {
        /// More of it is to come.
        case running
        case ended
        /// It ended in its middle, and its form has no place for an error. Read from its beginning, it would be a
        /// broken connection each time. Or it cannot be opened.
        case failed(GatewayError)
    }

    let records: JobRecords
    let envelope: Envelope

    /// The progress of the answer.
    /// - Throws: `GatewayError` if Redis cannot be asked.
    func state(of id: InsertionID) async throws -> State {
        do {
            guard let last = try await records.lastFrame(of: id) else { return .running }
            if isOfAnotherKey(last, of: id) { return .failed(.answerOfAnotherKey) }
            guard isEnd(last, of: id) else { return .running }
            guard case .brokenOff(var error)? = open(last, of: id)?.end else { return .ended }
            let first = try await records.firstFrame(of: id).flatMap { open($0, of: id) }
            // The last word is all that is there, and has a status of its own.
            if let first, first.sequence == .max, let head = first.head { error.status = head.status }
            return first?.head?.isEventStream == false ? .failed(error) : .ended
        } catch { throw GatewayError.queueUnavailable(error) }
    }

    /// Whether a frame is the last one. One of a version that is not known here may be: the client that fetches the
    /// answer is told.
    func isEnd(_ frame: [UInt8], of id: InsertionID) -> Bool {
        do {
            return try ResponseFrame(wireBytes: envelope.open(frame, for: .frame(id))).end != nil
        } catch EnvelopeError.unknownVersion {
            return true
        } catch {
            return false
        }
    }

    /// Whether a frame was sealed before the gateway's key was replaced: then none will follow that can be opened.
    private func isOfAnotherKey(_ frame: [UInt8], of id: InsertionID) -> Bool {
        do {
            _ = try envelope.open(frame, for: .frame(id))
            return false
        } catch {
            return error == .otherKey
        }
    }

    private func open(_ frame: [UInt8], of id: InsertionID) -> ResponseFrame? {
        try? ResponseFrame(wireBytes: envelope.open(frame, for: .frame(id)))
    }
}

extension GatewayError {
    fileprivate static let answerOfAnotherKey = GatewayError(
        status: 502, type: "server_error", code: "job_lost",
        message:
            "The answer is sealed with another GATEWAY_KEY than this gateway's, or damaged in Redis, and cannot be "
            + "read. The call was made. Send the request again, or let the operator put the former key back.",
        shouldRetry: false)
}
