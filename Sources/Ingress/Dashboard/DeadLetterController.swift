internal import Common
internal import JSON
internal import Queue
internal import Redis

/// Jobs that were given up, for people. A letter is opened to learn whose it is: it is seen in its own project, and one
/// that does not tell by the operator alone.
struct DeadLetterController: Sendable {
    /// Letters of a page. Those of other projects are left out of it.
    static let pageLetters = 50

    let letters: DeadLetters
    let envelope: Envelope
    let actions: Actions

    /// A letter, and what it tells of its job.
    struct Opened {
        var letter: DeadLetter
        /// Nil where the job is not kept or cannot be read.
        var job: Job?
        var queue: WorkQueue?

        /// Whether it is seen in a project.
        func isShown(in project: String, toOperator isOperators: Bool) -> Bool {
            job.map { $0.project == project } ?? isOperators
        }
    }

    func open(_ letter: DeadLetter) -> Opened {
        let found = letter.job(opening: envelope)
        return Opened(letter: letter, job: found?.job, queue: found?.queue)
    }

    /// A page of letters, the newest first: `{"letters":[…],"next"}`.
    func list(_ query: QueryItems, project: String, isOperators: Bool) async throws(GatewayError) -> [UInt8] {
        let before = query.value("before")
        guard before.map(DeadLetters.isEntry) ?? true else {
            throw .invalidQuery("before", "must be the id of an entry of Redis, such as 1790000000000-0")
        }
        let found: [DeadLetter]
        do throws(RedisError) {
            found = try await letters.page(before: before, limit: Self.pageLetters)
        } catch { throw .queueUnavailable(error) }
        let shown = found.map(open).filter { $0.isShown(in: project, toOperator: isOperators) }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("letters") { $0.array(shown) { $1.write(to: &$0) } }
            writer.member("next", found.count == Self.pageLetters ? found.last?.entry : nil)
        }
        return writer.bytes
    }
}

extension DeadLetterController.Opened {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("entry", letter.entry)
            writer.member("time", TimeText.iso(Int64(clamping: letter.time)))
            writer.member("reason", letter.reason)
            writer.member("insertion_id", InsertionID(letter.insertionID)?.description)
            writer.member("bytes", letter.bytes)
            writer.member("model", job?.model)
            writer.member("path", job?.path)
            writer.member("refusal", refusal?.text)
        }
    }
}
