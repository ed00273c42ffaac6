internal import Common
internal import JSON
internal import Queue
internal import Redis

/// Jobs that were given up, for people. A letter is opened to learn whose it is: it is seen in its own project. One
/// that does not tell, or whose project is no longer there, is seen by the operator alone, in each project.
struct DeadLetterController: Sendable {
    /// Letters of a page. Those of other projects are left out of it.
    static let pageLetters = 50

    let letters: DeadLetters
    let envelope: Envelope
    /// Those that there are now.
    let projects: KnownProjects
    let actions: Actions

    /// A letter, and what it tells of its job.
    struct Opened {
        var letter: DeadLetter
        /// Nil where the job is not kept or cannot be read.
        var job: Job?
        var queue: WorkQueue?
        /// Whether its project was removed from SECRETS_PATH.
        var isOrphaned: Bool

        /// Whether it is seen in a project.
        func isShown(in project: String, toOperator isOperators: Bool) -> Bool {
            guard let job, !isOrphaned else { return isOperators }
            return job.project == project
        }
    }

    func open(_ letter: DeadLetter) -> Opened {
        let found = letter.job(opening: envelope)
        return Opened(
            letter: letter, job: found?.job, queue: found?.queue,
            isOrphaned: found.map { !projects.contains($0.job.project) } ?? false)
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
            writer.member("time", letter.time.iso8601)
            writer.member("reason", letter.reason)
            writer.member("insertion_id", InsertionID(letter.insertionID)?.description)
            writer.member("project_id", job?.project)
            writer.member("bytes", letter.bytes)
            writer.member("model", job?.model)
            writer.member("path", job?.path)
            writer.member("refusal", refusal?.text)
        }
    }
}
