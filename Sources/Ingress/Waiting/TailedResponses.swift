internal import Common

/// Readers of answers and their progress. Decides what is read next and which reader gets it. It is pure but for the
/// requests.
struct TailedResponses {
    private struct Reader {
        let request: PendingRequest
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

    var requests: [PendingRequest] { readers.values.flatMap { $0.map(\.request) } }

    mutating func add(_ request: PendingRequest) { readers[request.id, default: []].append(Reader(request: request)) }

    mutating func remove(_ request: PendingRequest) {
        readers[request.id]?.removeAll { $0.request === request }
        if readers[request.id]?.isEmpty ?? false { readers[request.id] = nil }
    }

    /// The next read: each answer that has a reader with room, from where the slowest of those is.
    func next(within budget: ReadBudget) -> Read {
        var positions = readers.compactMapValues { readers in readers.filter(\.request.hasRoom).map(\.position).min() }
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
                guard readers[index].request.hasRoom else { break }
                if let frame = entry.frame { readers[index].request.receive(frame) }
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
    func overdue(at now: ContinuousClock.Instant = .now, _ read: Read) -> [PendingRequest] {
        read.positions.flatMap { id, start in
            (readers[id] ?? []).filter {
                $0.request.deadline.isOver(at: now) && $0.position <= start && $0.request.hasRoom
            }.map(\.request)
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
