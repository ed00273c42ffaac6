import TestSupport

@testable import Common
@testable import Queue

/// Acts upon several jobs in one script, good ones and bad ones. Now and then the reply is lost, for all of them.
extension QueueModelRun {
    /// Jobs are queued together; for some of them the worker beside the ingress takes an entry.
    mutating func enqueueBatch(_ taker: Int) async throws {
        let jobs = (0..<2 + random.below(5)).map { _ in newJob() }
        let consumers = jobs.map { _ in random.chance(oneIn: 2) ? forwarders[taker].name : nil }
        let admission = fixture.admission(
            entries: Self.mostEntries, bytes: Self.mostBytes, keptBytes: Self.mostKept)
        let results = try await fixture.enqueue(jobs, givingTo: consumers, by: admission)
        note("enqueue \(jobs.map(\.insertionID)) together for \(consumers): \(results.map(\.outcome))")
        var slots = 0
        for (place, job) in jobs.enumerated() {
            let bytes = job.wireBytes.count + Envelope.overhead
            let expected = outcome(of: job, bytes)
            try require(results[place].outcome == expected, "\(job.insertionID): not \(expected)")
            guard case .queued = expected else { continue }
            accept(job, bytes)
            if consumers[place] != nil { slots += 1 }
        }
        var given: [String: Delivery] = [:]
        for (job, result) in zip(jobs, results) {
            guard let (delivery, isOwn) = result.given?.parts else { continue }
            try require(
                isOwn == (delivery.insertionID == job.insertionID.description),
                "\(delivery.insertionID) for \(job.insertionID)")
            try require(
                given.updateValue(delivery, forKey: delivery.insertionID) == nil,
                "\(delivery.insertionID) was given twice")
        }
        let oldest = model.items.filter { $0.phase == .queued }.prefix(slots).map(\.job.insertionID.description)
        try require(given.keys.sorted() == oldest.sorted(), "given \(given.keys), not \(oldest)")
        try await take(oldest.compactMap { given[$0] }, taker) { _ in 1 }
    }

    /// Some of what a forwarder holds, and what it held and lost.
    private mutating func some(of index: Int) -> [Held] {
        let forwarder = forwarders[index]
        let lost = forwarder.past.filter { !isOwner(forwarder, of: $0) }
        let held = forwarder.hand.shuffled(using: &random).prefix(1 + random.below(4))
        return (held + lost.shuffled(using: &random).prefix(random.below(2))).shuffled(using: &random)
    }

    mutating func deliverBatch(_ index: Int) async throws {
        let forwarder = forwarders[index]
        let frames = some(of: index).map { (frame: nextFrame(), job: $0.job, delivery: $0.delivery, held: $0) }
        note("\(forwarder.name) delivers frames of \(frames.map(\.job.insertionID)) together")
        for _ in 0..<(random.chance(oneIn: 4) ? 2 : 1) {
            let results = try await fixture.deliver(
                frames.map { ($0.frame, $0.job, $0.delivery) }, by: forwarder.stream)
            for (part, result) in zip(frames, results) {
                let isOurs = isOwner(forwarder, of: part.held)
                try require(result.isOwner == isOurs, "a frame of \(part.job.insertionID): \(result)")
                guard isOurs, let place = model.index(of: part.delivery.insertionID) else { continue }
                model.send(part.frame, of: part.job)
                model.items[place].hasStarted = true
            }
        }
        forwarders[index].hand = forwarders[index].hand.filter { isOwner(forwarder, of: $0) }
    }

    mutating func finishBatch(_ index: Int) async throws {
        let forwarder = forwarders[index]
        var plans: [Plan] = []
        for held in some(of: index) {
            if let plan = try await plan(held, by: forwarder) { plans.append(plan) }
        }
        // One of them cannot be answered where it wants to be, and does not end.
        let bad =
            random.chance(oneIn: 3)
            ? plans.indices.filter { plans[$0].frame != nil }.randomElement(using: &random) : nil
        let ends = plans.enumerated().map { place, plan in
            var end = plan.end
            if place == bad { end.responseKey = Self.taken }
            return end
        }
        note("together\(bad.map { ", all but \(plans[$0].held.job.insertionID)" } ?? "")")
        for attempt in 0..<(random.chance(oneIn: 4) ? 2 : 1) {
            for (place, result) in try await fixture.finish(ends, by: forwarder.stream).enumerated() {
                let (id, isOurs) = (plans[place].held.job.insertionID, plans[place].isOurs)
                if place == bad, isOurs {
                    try require(result.refusal == "WRONGTYPE", "the end of \(id): \(result)")
                } else {
                    try require(result.isOwner == (isOurs && attempt == 0), "the end of \(id): \(result)")
                    if isOurs, attempt == 0 { conclude(plans[place]) }
                }
            }
        }
        forwarders[index].hand = forwarders[index].hand.filter { isOwner(forwarder, of: $0) }
    }
}

extension JobAdmission.Reply.Given {
    /// What was given, and whether it is the job that the slot was taken for.
    fileprivate var parts: (delivery: Delivery, isOwn: Bool) {
        switch self {
        case .this(let delivery): (delivery, true)
        case .older(let delivery): (delivery, false)
        }
    }
}
