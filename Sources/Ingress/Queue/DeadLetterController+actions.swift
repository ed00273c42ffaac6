internal import Common
internal import JSON
internal import Logging
internal import Queue
internal import Redis

extension DeadLetterController {
    /// The parts that queue jobs, and the log of what was done.
    struct Actions: Sendable {
        let identity: ResponseIdentity
        let jobs: JobBuilder
        /// The queue of completions.
        let calls: JobDispatcher
        /// Nil where nothing logs requests.
        let audit: AuditLog?
    }

    /// Queues a letter's job again, under a new id, and takes the letter away. Done twice at a time it is one job.
    /// - Parameter admitted: the operator, and the project in which the letter is seen.
    /// - Returns: the new job's id.
    func requeue(
        _ entry: String, by admitted: Authenticator.Admitted, logger: Logger
    ) async throws(GatewayError) -> InsertionID {
        let opened = try await find(entry, in: admitted.project)
        if let refusal = opened.refusal { throw .notRequeued(refusal) }
        guard let old = opened.job else { throw .ingressFailed }
        // No client's Idempotency-Key has a line's end in it.
        let idempotency = Idempotency(
            clientKey: "dead letter\n\(entry) \(old.insertionID)", project: old.project, account: nil,
            request: [Array(entry.utf8)], envelope: envelope)
        let id: InsertionID
        do {
            let job = try actions.jobs.requeued(old, as: actions.identity.next(), idempotency: idempotency)
            id = try await actions.calls.enqueue(job).id
        } catch let error as GatewayError {
            throw error
        } catch {
            logger.error(
                "a dead letter could not be queued again", metadata: ["entry": "\(entry)", "error": "\(error.kind)"])
            throw .ingressFailed
        }
        guard try await remove(entry) else { return id }
        tell(.deadLetterRequeued, of: opened, by: admitted, queuedAs: id, logger)
        return id
    }

    /// Takes a letter away for good.
    /// - Parameter admitted: the operator, and the project in which the letter is seen.
    func delete(_ entry: String, by admitted: Authenticator.Admitted, logger: Logger) async throws(GatewayError) {
        let opened = try await find(entry, in: admitted.project)
        guard try await remove(entry) else { throw .noSuchLetter }
        tell(.deadLetterDeleted, of: opened, by: admitted, queuedAs: nil, logger)
    }

    private func find(_ entry: String, in project: String) async throws(GatewayError) -> Opened {
        guard DeadLetters.isEntry(entry) else { throw .noSuchLetter }
        let letter: DeadLetter?
        do throws(RedisError) { letter = try await letters.letter(at: entry) } catch { throw .queueUnavailable(error) }
        guard let opened = letter.map(open), opened.isShown(in: project, toOperator: true) else { throw .noSuchLetter }
        return opened
    }

    private func remove(_ entry: String) async throws(GatewayError) -> Bool {
        do throws(RedisError) { return try await letters.remove(entry) } catch { throw .queueUnavailable(error) }
    }

    private func tell(
        _ kind: AuditKind, of opened: Opened, by admitted: Authenticator.Admitted, queuedAs id: InsertionID?,
        _ logger: Logger
    ) {
        let letter = opened.letter
        let subject = InsertionID(letter.insertionID)?.description ?? letter.entry
        logger.notice(
            id == nil ? "a dead letter was deleted" : "a dead letter was queued again",
            metadata: [
                "insertion_id": "\(subject)", "queued_as": "\(id?.description ?? "-")",
                "account": "\(admitted.account?.id ?? "-")",
            ])
        actions.audit?.note(
            kind, of: subject, project: opened.job?.project, account: admitted.account?.id,
            user: admitted.account?.user,
            details: AuditDetails { writer in
                writer.member("entry", letter.entry)
                if let id { writer.member("queued_as", id.description) }
            })
    }
}

extension GatewayError {
    fileprivate static let noSuchLetter = GatewayError(
        status: 404, type: "not_found_error", code: "unknown_dead_letter",
        message: "This project has no such dead letter, or not any longer: it was queued again, deleted, or made room "
            + "for later ones (DEAD_LETTER_LIMIT). The audit log says who did it.", shouldRetry: false)

    fileprivate static func notRequeued(_ refusal: RequeueRefusal) -> GatewayError {
        GatewayError(
            status: 409, type: "invalid_request_error", code: "not_requeued",
            message: "This dead letter is not queued again: \(refusal.text).", shouldRetry: false)
    }
}
