extension Envelope {
    /// The context of sealed bytes, authenticated with them: an entry moved or renamed in Redis does not open.
    package struct Context: Sendable {
        private let bytes: [UInt8]
        /// The version in which the context's payload is written. This one and all before it are read; a later one is
        /// left for those who know it.
        ///
        /// Raise it for one kind of payload when an old reader would misread it, one release after the readers know the
        /// new version.
        package var version: UInt8 = 1

        private init(_ text: String, version: UInt8 = 1) {
            bytes = Array(text.utf8)
            self.version = version
        }

        /// The payload of a job, for reading it in either version.
        package static func job(_ id: InsertionID, on queue: WorkQueue = .completions) -> Context {
            Context(String(concatenating: queue.stream, " ", id.description), version: 2)
        }

        /// The payload of a job, for writing it: a job whose trace is redacted is version 2. A forwarder that knows
        /// only version 1 would trace all of it, so it has to leave the job to others.
        package static func job(_ job: Job, on queue: WorkQueue = .completions) -> Context {
            var context = Context.job(job.insertionID, on: queue)
            if case .redacted = job.logging { return context }
            context.version = 1
            return context
        }

        /// A completion's span, for reading it in either version.
        package static func span(_ id: InsertionID) -> Context { Context(named(Keys.span(id), id), version: 2) }

        /// A completion's span, for writing it: a ``SpanRecord`` is version 2, OTLP/JSON version 1.
        package static func span(_ id: InsertionID, holding span: [UInt8]) -> Context {
            Context(named(Keys.span(id), id), version: span.first == SpanRecord.form ? 2 : 1)
        }

        /// A record for the request log, for reading it in any version: an ``AuditEvent`` is version 3, so that a
        /// process that does not know these events leaves it; any other record is a span.
        package static func record(_ id: InsertionID) -> Context { Context(named(Keys.span(id), id), version: 3) }

        /// A record for the request log, for writing it.
        package static func record(_ id: InsertionID, holding record: [UInt8]) -> Context {
            record.first == AuditEvent.form ? .record(id) : .span(id, holding: record)
        }

        /// The value of a key of ours, where nothing else tells its values apart.
        package static func value(of key: String) -> Context { Context("\(key) value") }

        /// A frame of a job's answer, whichever stream carries it.
        package static func frame(_ id: InsertionID) -> Context { Context(named(Keys.response(id), id)) }

        /// A session of the dashboard. It stands in a browser's cookie, and nowhere in Redis.
        package static let session = Context("dashboard session")

        private static func named(_ key: String, _ id: InsertionID) -> String {
            String(concatenating: key, " ", id.description)
        }

        /// The bytes that are authenticated with a payload of a version. The zero byte is in no context's text.
        func authenticated(at version: UInt8) -> [UInt8] { version == 1 ? bytes : bytes + [0, version] }
    }
}
