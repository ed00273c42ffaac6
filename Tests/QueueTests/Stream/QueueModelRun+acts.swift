import TestSupport
import Testing

@testable import Common
@testable import Queue

/// The acts of ingresses and forwarders. Each is done twice: on Redis by the code that does it in earnest, and on the
/// model.
extension QueueModelRun {
    mutating func enqueue() async throws {
        let job = newJob()
        let bytes = job.wireBytes.count + Envelope.overhead
        let expected = outcome(of: job, bytes)
        // An ingress with a worker in its process has the oldest job given to that one in the same step.
        let taker = random.chance(oneIn: 2) ? nil : random.below(forwarders.count)
        let admission = fixture.admission(
            entries: Self.mostEntries, bytes: Self.mostBytes, keptBytes: Self.mostKept)
        let reply = try await admission.enqueue(job, givingTo: taker.map { forwarders[$0].name })
        let outcome = reply.outcome
        note(
            "enqueue \(job.insertionID) for \(job.responseKey): \(outcome), given to \(taker.map { forwarders[$0].name } ?? "none")"
        )
        try require(outcome == expected, "\(outcome), not \(expected)")
        guard case .queued = outcome else { return }
        accept(job, bytes)
        if let taker { try await take(reply.given, of: job, taker) }
        // The answer was lost on the way to the ingress, which then gives the job up.
        if random.chance(oneIn: 8) { try await cancel(model.items.count - 1) }
    }

    /// The job is on the queue.
    mutating func accept(_ job: Job, _ bytes: Int) {
        let rollout = job.ownRollout.map { KeySpace.local.keys(of: $0) }
        model.items.append(QueueModel.Item(job: job, bytes: bytes, rollout: rollout))
        if let rollout { model.verdicts.remove(rollout.verdict) }
        if let request = job.idempotency { model.requests[request.key] = (job.insertionID, request.fingerprint) }
    }

    /// First come, first served: the oldest that waits is given, whichever it is.
    private mutating func take(_ given: JobAdmission.Reply.Given?, of job: Job, _ taker: Int) async throws {
        let oldest = model.items.first { $0.phase == .queued }?.job
        switch given {
        case .this(let delivery):
            try require(oldest?.insertionID == job.insertionID, "given \(job.insertionID) before an older one")
            try require(
                delivery.count == 1 && !delivery.isTakenOver && delivery.payload.isEmpty, "not handed over in memory")
            try await take([delivery], taker) { _ in 1 }
        case .older(let delivery):
            try require(
                oldest?.insertionID.description == delivery.insertionID && oldest != job,
                "given \(delivery.insertionID)")
            try await take([delivery], taker) { _ in 1 }
        case nil: throw Difference(what: "nothing was given")
        }
    }

    mutating func newJob() -> Job {
        let project = random.chance(oneIn: 3) ? "other" : "local"
        let rollout = project == "other" ? "r1" : random.chance(oneIn: 12) ? Self.taken : random.pick(["r1", "r2"])
        var job = fixture.job(
            rollout: random.chance(oneIn: 5) ? nil : rollout, project: project,
            body: Array(repeating: 7, count: random.below(600)))
        job.deadline = Deadline(in: .seconds(300))
        job.responseKey = random.chance(oneIn: 3) ? Keys.response(job.insertionID) : random.pick(Self.ingresses)
        if random.chance(oneIn: 4) {
            job.responseKey = Keys.response(job.insertionID)
            let request = [Array(random.pick(["a", "a", "b"]).utf8)]
            job.idempotency = Idempotency(
                clientKey: "k", project: project, account: nil, request: request, envelope: fixture.envelope)
        }
        if random.chance(oneIn: 3) { job.logging = .withheld }
        return job.withOwnSeal
    }

    func outcome(of job: Job, _ bytes: Int) -> JobAdmission.Outcome {
        if let request = job.idempotency, let known = model.requests[request.key] {
            return known.fingerprint == request.fingerprint ? .repeats(known.job) : .anotherRequest
        }
        if model.present.count >= Self.mostEntries { return .tooManyEntries }
        if !model.present.isEmpty, model.bytes + bytes > Self.mostBytes { return .tooManyBytes }
        if job.isFetchable, model.keptBytes + KeptBytes.reserved > Self.mostKept { return .tooMuchKept }
        if job.rollout?.rollout == Self.taken { return .notASet }
        return .queued(length: model.present.count + 1)
    }

    mutating func read(_ index: Int) async throws {
        let limit = 1 + random.below(3)
        let expected = model.items.filter { $0.phase == .queued }.prefix(limit).map(\.job.insertionID.description)
        let deliveries = try await fixture.take(forwarders[index].stream, upTo: limit)
        note("\(forwarders[index].name) reads \(deliveries.map(\.insertionID))")
        try require(deliveries.map(\.insertionID) == expected, "read \(deliveries.map(\.insertionID)), not \(expected)")
        try await take(deliveries, index) { _ in 1 }
    }

    mutating func claim(_ index: Int) async throws {
        let (limit, forwarder) = (1 + random.below(4), forwarders[index])
        let able = model.claimable(by: forwarder.name, running: Set(forwarder.hand.map(\.delivery.insertionID)))
        let deliveries = try await forwarder.stream.claim(upTo: limit, running: forwarder.running)
        note("\(forwarder.name) claims \(deliveries.map(\.insertionID))")
        let claimed = Set(deliveries.map(\.insertionID))
        // What has become old meanwhile was not yet when it was looked at.
        let may = able.may.union(
            model.claimable(by: forwarder.name, running: Set(forwarder.hand.map(\.delivery.insertionID))).may)
        try require(claimed.isSubset(of: may), "claimed what it may not; it may \(may)")
        try require(
            claimed.count >= min(limit, able.must.count), "claimed \(claimed.count) of \(able.must), \(limit) at most")
        try await take(deliveries, index) { $0 + 1 }
    }

    /// Notes what a forwarder was given; now and then the answer that gave it is lost on the way.
    mutating func take(_ deliveries: [Delivery], _ index: Int, count: (Int) -> Int) async throws {
        let deliveries = try await forwarders[index].stream.readKeys(of: deliveries)
        let isLost = random.chance(oneIn: 6)
        if isLost { note("and never hears of it") }
        for delivery in deliveries {
            guard let place = model.index(of: delivery.insertionID) else {
                throw Difference(what: "\(delivery.insertionID) was never queued")
            }
            let before = if case .held(_, let count) = model.items[place].phase { count } else { 0 }
            try require(
                delivery.count == count(before),
                "delivery \(delivery.count) of \(delivery.insertionID), not \(count(before))")
            try require(
                delivery.isTakenOver == (model.items[place].phase != .queued),
                "taken over or not: \(delivery.insertionID)")
            var (queued, taken) = (model.items[place].job, delivery)
            var found = try taken.takeJob(opening: fixture.envelope)
            // What was asked stays behind: only who queues it compares.
            queued.idempotency = queued.idempotency.map { Idempotency(key: $0.key) }
            found.idempotency = found.idempotency.map { Idempotency(key: $0.key) }
            try require(found == queued, "another job")
            model.items[place].phase = .held(by: forwarders[index].name, count: delivery.count)
            (model.items[place].isOld, model.items[place].heldSince) = (false, .now)
            guard !isLost else { continue }
            forwarders[index].hand.append(Held(job: model.items[place].job, delivery: delivery))
            forwarders[index].past.append(Held(job: model.items[place].job, delivery: delivery))
        }
    }

    mutating func deliver(_ index: Int) async throws {
        guard !forwarders[index].hand.isEmpty else { return }
        let place = random.below(forwarders[index].hand.count)
        let isOurs = try await deliver(forwarders[index].hand[place], by: forwarders[index])
        if !isOurs { forwarders[index].hand.remove(at: place) }
    }

    func isOwner(_ forwarder: Forwarder, of held: Held) -> Bool { model.isHeld(held.job, by: forwarder.name) }

    /// Sends a frame, maybe twice because the answer to the first was lost.
    private mutating func deliver(_ held: Held, by forwarder: Forwarder) async throws -> Bool {
        let (isOurs, frame) = (isOwner(forwarder, of: held), nextFrame())
        note("\(forwarder.name) delivers a frame of \(held.job.insertionID): \(isOurs)")
        for _ in 0..<(random.chance(oneIn: 4) ? 2 : 1) {
            try await expect(isOurs, of: held) {
                try await forwarder.stream.deliver(frame, of: held.job, in: held.delivery, markerTTL: .seconds(300))
            }
            guard isOurs, let place = model.index(of: held.delivery.insertionID) else { continue }
            model.send(frame, of: held.job)
            model.items[place].hasStarted = true
        }
        return isOurs
    }

    mutating func finish(_ index: Int) async throws {
        guard !forwarders[index].hand.isEmpty else { return }
        let held = forwarders[index].hand.remove(at: random.below(forwarders[index].hand.count))
        try await finish(held, by: forwarders[index])
    }

    /// How a job is ended.
    struct Plan {
        let held: Held
        let isOurs: Bool
        let succeeded: Bool
        let frame: [UInt8]?
        let ending: JobStream.Ending

        /// As an act of a batch.
        var end: QueueFixture.End {
            QueueFixture.End(job: held.job, delivery: held.delivery, sealed: frame, ending: ending)
        }
    }

    /// Ends a job as the forwarder does: given up, not wanted, broken off, or with the provider's answer, good or bad.
    mutating func plan(_ held: Held, by forwarder: Forwarder) async throws -> Plan? {
        let id = held.job.insertionID
        let isOurs = isOwner(forwarder, of: held)
        guard let place = model.index(of: id.description) else { return nil }
        let item = model.items[place]
        if !item.hasEnded {
            try require(try await forwarder.stream.hasStarted(id) == item.hasStarted, "started or not: \(id)")
        }
        let isDead = held.delivery.count > Self.mostDeliveries
        let succeeded =
            !isDead && !item.isCancelled && !(held.delivery.isTakenOver && item.hasStarted) && !random.chance(oneIn: 4)
        let frame: [UInt8]? = item.isCancelled ? nil : nextFrame()
        let freed = succeeded || random.chance(oneIn: 2) ? nil : held.job.idempotency?.key
        let span =
            random.chance(oneIn: 2)
            ? JobStream.Span(project: item.job.project, sealed: nextFrame(), life: .seconds(100)) : nil
        let ending = JobStream.Ending(
            removeFrom: succeeded ? nil : item.rollout, span: span, deadLetterReason: isDead ? "lost" : nil,
            frees: freed, reservation: held.job.isFetchable ? KeptBytes.Reservation(of: held.job) : nil)
        note("\(forwarder.name) ends \(id), \(succeeded ? "well" : "badly"): \(isOurs)")
        return Plan(held: held, isOurs: isOurs, succeeded: succeeded, frame: frame, ending: ending)
    }

    /// The job has ended.
    mutating func conclude(_ plan: Plan) {
        let (id, ending) = (plan.held.job.insertionID, plan.ending)
        guard let place = model.index(of: id.description) else { return }
        model.items[place].phase = .ended(succeeded: plan.succeeded)
        model.items[place].span = ending.span?.sealed
        if !plan.succeeded, let rollout = model.items[place].rollout { model.verdicts.remove(rollout.verdict) }
        if let frame = plan.frame { model.send(frame, of: plan.held.job) }
        if ending.deadLetterReason != nil { model.letters += 1 }
        if let freed = ending.frees, model.requests[freed]?.job == id { model.requests[freed] = nil }
    }

    /// Ends a job, maybe twice because the answer to the first was lost.
    private mutating func finish(_ held: Held, by forwarder: Forwarder) async throws {
        guard let plan = try await plan(held, by: forwarder) else { return }
        for attempt in 0..<(random.chance(oneIn: 4) ? 2 : 1) {
            let counts = plan.isOurs && attempt == 0
            try await expect(counts, of: held) {
                try await forwarder.stream.finish(
                    held.delivery, id: held.job.insertionID, responseKey: held.job.responseKey, sealed: plan.frame,
                    ending: plan.ending)
            }
            if counts { conclude(plan) }
        }
    }

    /// A verifier finds something out about a rollout.
    mutating func judge() async throws {
        let rollout = random.pick(rollouts)
        note("a verdict on \(rollout.set)")
        try await fixture.send("HSET", rollout.verdict, "verdict", "complete")
        try await fixture.send("EXPIRE", rollout.verdict, 100)
        model.verdicts.insert(rollout.verdict)
    }

    mutating func release(_ index: Int) async throws {
        guard !forwarders[index].hand.isEmpty else { return }
        let held = forwarders[index].hand.remove(at: random.below(forwarders[index].hand.count))
        note("\(forwarders[index].name) releases \(held.job.insertionID)")
        try await release(held, by: forwarders[index])
    }

    private mutating func release(_ held: Held, by forwarder: Forwarder) async throws {
        for _ in 0..<(random.chance(oneIn: 4) ? 2 : 1) {
            let before = isOwner(forwarder, of: held) ? nil : try await fixture.dump()
            try await forwarder.stream.release([held.delivery.entry])
            if let before {
                try require(try await fixture.dump() == before, "a release of another's job changed something")
            } else if let place = model.index(of: held.delivery.insertionID),
                case .held(_, let count) = model.items[place].phase
            {
                model.items[place].phase = .held(by: QueueModel.released, count: count - 1)
            }
        }
    }

    /// An act of a forwarder that died, or of a living one upon what is no longer its own.
    mutating func lateAct() async throws {
        guard let forwarder = (dead + forwarders).filter({ !$0.past.isEmpty }).randomElement(using: &random) else {
            return
        }
        let held = random.pick(forwarder.past)
        // What it holds yet is not late; living forwarders act on theirs by the hand.
        guard !isOwner(forwarder, of: held) else { return }
        note("too late:")
        switch random.below(3) {
        case 0: _ = try await deliver(held, by: forwarder)
        case 1: try await finish(held, by: forwarder)
        default: try await release(held, by: forwarder)
        }
    }

    /// Does an act that counts or not, and sees that one which does not changes nothing.
    private func expect(_ counts: Bool, of held: Held, act: () async throws -> Bool) async throws {
        let before = counts ? nil : try await fixture.dump()
        try require(
            try await act() == counts, "an act upon \(held.job.insertionID) \(counts ? "did not count" : "counted")")
        guard let before else { return }
        let after = try await fixture.dump()
        let changed = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
        try require(changed.isEmpty, "an act upon another's \(held.job.insertionID) changed \(changed.sorted())")
    }
}
