internal import Common

/// Readers of answers and their progress. Decides what is read next and which reader gets it; pure but for waiters.
struct TailedResponses {
    private struct Reader {
        let waiter: Waiter
        /// The last entry that was handed to it.
        var position = StreamPosition.start
    }

    /// An entry of an answer's stream.
    struct Entry {
        var position: StreamPosition
        /// Nil if the entry is not one of a forwarder's.
        var frame: [UInt8]?
    }

    /// A question to Redis.
    struct Read {
        /// The answers, and where to read on.
        var positions: [InsertionID: StreamPosition]
        /// The most entries of each.
        var entries: Int
    }

    private var readers: [InsertionID: [Reader]] = [:]

    var waiters: [Waiter] { readers.values.flatMap { $0.map(\.waiter) } }

    mutating func add(_ waiter: Waiter) { readers[waiter.id, default: []].append(Reader(waiter: waiter)) }

    mutating func remove(_ waiter: Waiter) {
        readers[waiter.id]?.removeAll { $0.waiter === waiter }
        if readers[waiter.id]?.isEmpty ?? false { readers[waiter.id] = nil }
    }

    /// The next read: each answer that has a reader with room, from where the slowest of those is.
    func next(within budget: ReadBudget) -> Read {
        var positions = readers.compactMapValues { readers in readers.filter(\.waiter.hasRoom).map(\.position).min() }
        // Everything at once was too much: some of them, other ones each time.
        if positions.count > budget.entries {
            positions = Dictionary(
                uniqueKeysWithValues: positions.shuffled().prefix(budget.entries).map { ($0.key, $0.value) })
        }
        return Read(
            positions: positions,
            entries: min(max(budget.entries / max(positions.count, 1), 1), ReadBudget.entriesOfOneAnswer))
    }

    /// Hands on what came, to each reader what it has not had, as long as it has room.
    /// - Parameter start: where the reading began. A reader that has not come so far misses what is before; it has its
    ///   turn with the next read.
    mutating func hand(_ entries: [Entry], of id: InsertionID, readFrom start: StreamPosition) {
        guard var readers = readers[id] else { return }
        for index in readers.indices where readers[index].position >= start {
            for entry in entries where entry.position > readers[index].position {
                guard readers[index].waiter.hasRoom else { break }
                if let frame = entry.frame { readers[index].waiter.receive(frame) }
                readers[index].position = entry.position
            }
        }
        self.readers[id] = readers
    }

    /// The readers whose time is over: a read brought them nothing after their deadline. A slow reader of an answer
    /// that is there may take its time.
    /// - Parameters:
    ///   - now: the time, by the clock that the readers wait by.
    ///   - read: the read that has just ended.
    func overdue(at now: ContinuousClock.Instant = .now, _ read: Read) -> [Waiter] {
        read.positions.flatMap { id, start in
            (readers[id] ?? []).filter {
                $0.waiter.deadline.isOver(at: now) && $0.position <= start && $0.waiter.hasRoom
            }.map(\.waiter)
        }
    }
}

extension TailedResponses {
    /// The most entries of one read. Halved when a read fails, perhaps as too large, and doubled when one goes well.
    struct ReadBudget {
        /// Frames are at most 256 KiB.
        static let entriesOfOneAnswer = 16
        private static let largest = 16_384

        private(set) var entries = largest

        mutating func failed() { entries = max(entries / 2, 1) }
        mutating func succeeded() { entries = min(entries * 2, Self.largest) }
    }
}
