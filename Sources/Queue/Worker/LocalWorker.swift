package import Common
internal import NIOConcurrencyHelpers
package import NIOCore

/// A client whose request and whose call are in one process.
package protocol LocalClient: Sendable {
    /// The client's event loop. A job that is worked on for it is worked on there, and frames come there.
    var eventLoop: any EventLoop { get }

    /// Takes the next frame of the answer.
    func receive(_ frame: ResponseFrame)
}

/// The worker in this process, as an ingress beside it sees it. A job may be given to it in the step that queues the
/// job, and the answer goes straight to the client (architecture §2.2).
///
/// The worker is a consumer of the stream, with the stream's rules of ownership, takeover and dead letters. Only the
/// job and its answer need not travel.
package final class LocalWorker: Sendable {
    /// A free slot that is kept for one job.
    struct Slot: Sendable {
        fileprivate let intake: Intake

        /// The consumer that the job is given to.
        var consumer: String { intake.stream.consumer }

        /// Starts the job that came: the one that the slot was taken for, an older one in its place, or none.
        func start(_ given: JobAdmission.Reply.Given?, for client: any LocalClient) {
            switch given {
            case .this(let delivery): intake.start(delivery, for: client)
            case .older(let delivery): intake.start(older: delivery)
            case nil: break
            }
            giveUp()
        }

        /// Gives the slot up: its job has begun, or does not come.
        func giveUp() { intake.jobs.unreserve(1) }
    }

    private let jobs: RunningJobs
    /// The intake that takes jobs; nil while none are taken.
    private let intake = NIOLockedValueBox<Intake?>(nil)

    package init(jobs: RunningJobs) { self.jobs = jobs }

    /// Whether it takes jobs.
    package var isOpen: Bool { intake.withLockedValue { $0 != nil } }

    /// Takes a slot for a job that is about to be queued.
    /// - Returns: nil if there is none free, or the worker takes no jobs now.
    func reserve() -> Slot? {
        guard let intake = intake.withLockedValue({ $0 }), jobs.reserve(upTo: 1) == 1 else { return nil }
        return Slot(intake: intake)
    }

    /// Ends a job if it runs here, or will.
    package func cancel(_ id: InsertionID, handedOver: Int?) { jobs.cancel(id, Cancellation(handedOver: handedOver)) }

    /// Notes that a frame of the job's answer came over Redis: the job was taken over, and its call here is for
    /// nothing.
    package func drop(_ id: InsertionID) { jobs.drop(id) }

    /// The reader of an answer has taken `bytes` of it.
    /// - Returns: whether the answer comes from here, so that no other worker need hear of it.
    package func credit(_ id: InsertionID, bytes: Int) -> Bool { jobs.credit(id, bytes: bytes) }

    /// Takes jobs from now on.
    func open(_ intake: Intake) { self.intake.withLockedValue { if $0 == nil { $0 = intake } } }

    /// Takes no more jobs.
    func close() { intake.withLockedValue { $0 = nil } }
}
