internal import Common

/// What is known of answers that are kept under their jobs' own keys, without following them.
struct KeptAnswers: Sendable {
    let records: JobRecords
    let envelope: Envelope

    /// Whether all of the answer is there.
    func isWhole(_ id: InsertionID) async throws -> Bool {
        do { return try await records.lastFrame(of: id).map { isEnd($0, of: id) } ?? false } catch { throw GatewayError.queueUnavailable(error) }
    }

    /// Whether a frame is the last one. One of a version that is not known here may be: whoever fetches the answer is told.
    func isEnd(_ frame: [UInt8], of id: InsertionID) -> Bool {
        do {
            return try ResponseFrame(wireBytes: envelope.open(frame, for: .frame(id))).end != nil
        } catch EnvelopeError.unknownVersion {
            return true
        } catch {
            return false
        }
    }

    /// How an answer failed that ended in its middle, and whose form has no place for an error: told from the beginning it would be a broken connection each time.
    /// - Returns: nil for every other answer.
    func failure(of id: InsertionID) async throws -> GatewayError? {
        do {
            guard let last = try await records.lastFrame(of: id).flatMap({ open($0, of: id) }), case .brokenOff(let error)? = last.end else {
                return nil
            }
            guard let first = try await records.firstFrame(of: id).flatMap({ open($0, of: id) }), first.head?.isEventStream == false else {
                return nil
            }
            return error
        } catch { throw GatewayError.queueUnavailable(error) }
    }

    private func open(_ frame: [UInt8], of id: InsertionID) -> ResponseFrame? { try? ResponseFrame(wireBytes: envelope.open(frame, for: .frame(id))) }
}

extension UpstreamHead {
    var isEventStream: Bool { headers.first(named: "content-type")?.lowercased().utf8.starts(with: "text/event-stream".utf8) ?? false }
}
