package import Common

/// A store of traces that can be asked which completions it has, and for what they hold.
package protocol TraceSource: Sendable {
    /// One page of the answer to a query.
    /// - Parameters:
    ///   - cursor: where the page before this one ended; nil for the first page.
    ///   - limit: the most rows of the page. The source may send fewer, and goes below its own server's bound by
    ///     itself.
    func page(_ query: StoreQuery, after cursor: TraceCursor?, limit: Int) async throws(TraceSourceError) -> TracePage
}

/// A question to a trace store.
package struct StoreQuery: Sendable, Equatable {
    package enum Selection: Sendable, Equatable {
        /// All traces of a rollout.
        case rollout(String)
        /// Those of some completions, at most `TraceIdentity.mostIDs`, in ascending order.
        case ids([InsertionID])
    }

    /// The parts that are wanted of each trace.
    package enum Detail: Int, Sendable, Equatable, Comparable {
        /// The completion to which it belongs.
        case id
        /// Properties by which it can be chosen: name, user, session, environment, version, release, tags.
        case head
        /// Input and output as well.
        case body

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    package var selection: Selection
    package var window: TimeWindow
    package var detail: Detail
    /// Whether a trace's observations are wanted. Old servers have to be asked for each trace by itself then.
    package var observations: Bool
    /// Whether a trace's scores are wanted. They take a further call a page, or, of old servers, one for each trace.
    package var scores = false
    /// Names of metadata whose values are wanted whole. A store may cut those of others.
    package var wholeMetadata: Set<UTF8Text> = []
    /// The longest wait for the answer; nil: as long as the store is given for any.
    package var timeout: Duration?

    package init(_ selection: Selection, window: TimeWindow, detail: Detail = .id, observations: Bool = false) {
        self.selection = selection
        self.window = window
        self.detail = detail
        self.observations = observations
    }
}

/// The place at which the next page of an answer begins.
package enum TraceCursor: Sendable, Hashable {
    /// The cursor of a server of the second API.
    case opaque(String)
    /// The number of a page, counted from 1, of so many rows each: the first API. Pages of another size would leave
    /// rows out.
    case page(Int, rows: Int)
    /// The number of the query's ids that have been asked for, where each is asked for by itself.
    case index(Int)

    /// The cursor for pages of another size; nil: from the beginning.
    var resized: TraceCursor? { if case .page = self { nil } else { self } }
}

/// A part of an answer.
package struct TracePage: Sendable {
    /// In the store's order, perhaps with repetitions, perhaps with rows that belong to no completion of the gateway's.
    package var rows: [FetchedTrace]
    /// The place at which the next page begins; nil if this is the last.
    package var next: TraceCursor?
    /// Bytes of the answer, content encoding undone.
    package var bytes: Int
    /// Names of metadata whose values seem to be cut.
    package var cutMetadata: Set<UTF8Text>

    package init(rows: [FetchedTrace], next: TraceCursor? = nil, bytes: Int = 0, cutMetadata: Set<UTF8Text> = []) {
        self.cutMetadata = cutMetadata
        self.rows = rows
        self.next = next
        self.bytes = bytes
    }
}

/// One trace as a store told it. JSON is kept as bytes: values that are not looked at are not decoded.
package struct FetchedTrace: Sendable, Equatable {
    /// The completions that it belongs to. Usually one; none for a row that is not of the gateway's making; several
    /// where LiteLLM was given one trace for several completions.
    package var ids: [InsertionID]
    package var head: TraceHead
    /// Nil unless the query asked for bodies.
    package var body: TraceBody?
    /// The newest first; nil unless the query asked for them, and where the store cannot tell.
    package var scores: [TraceScore]?

    package init(ids: [InsertionID], head: TraceHead = TraceHead(), body: TraceBody? = nil) {
        self.ids = ids
        self.head = head
        self.body = body
    }
}

/// The properties by which a trace can be chosen.
package struct TraceHead: Sendable, Equatable {
    package var traceID = ""
    package var name: String?
    package var userID: String?
    package var sessionID: String?
    package var environment: String?
    package var version: String?
    package var release: String?
    package var tags: [String] = []
    /// As the store wrote it.
    package var timestamp: String?

    package init() {}
}

/// The content of a trace. A member without another type is a JSON value.
package struct TraceBody: Sendable, Equatable {
    package var input: [UInt8]
    package var output: [UInt8]
    package var metadata: [UInt8]
    /// The reasons why the choices of the answer ended, as the trace itself says.
    package var finishReasons: [String]
    package var observations: [Observation]

    package init(
        input: [UInt8], output: [UInt8], metadata: [UInt8], finishReasons: [String] = [], observations: [Observation]
    ) {
        self.input = input
        self.output = output
        self.metadata = metadata
        self.finishReasons = finishReasons
        self.observations = observations
    }

    /// The step that called the model.
    package var generation: Observation? { observations.first { $0.model != nil } ?? observations.first }

    /// One step within a trace. Each member of bytes is a JSON value, a string with its quotes.
    package struct Observation: Sendable, Equatable {
        package var id: [UInt8]
        package var type: [UInt8]
        package var name: [UInt8]
        package var startTime: [UInt8]
        package var endTime: [UInt8]
        package var input: [UInt8]
        package var output: [UInt8]
        package var parentID: [UInt8]
        package var model: String?
        /// OpenAI's `usage`.
        package var usage: [UInt8]
        /// The reasons why the choices of the answer ended, in their order.
        package var finishReasons: [String]
    }
}

/// A score of a trace, or of one of its observations. Each member of bytes is a JSON value, a string with its quotes.
package struct TraceScore: Sendable, Equatable {
    package var id: [UInt8]
    package var name: [UInt8]
    /// A number, a Boolean or a text, by the kind of the data.
    package var value: [UInt8]
    package var dataType: [UInt8]
    package var source: [UInt8]
    package var comment: [UInt8]
    package var metadata: [UInt8]
    package var configID: [UInt8]
    /// `null` for a score of the trace as a whole.
    package var observationID: [UInt8]
    package var timestamp: [UInt8]
}

/// The reason why a trace store gave no page, by what is to be done about it.
package enum TraceSourceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Asking again is of no use before the fault is repaired; the text names it.
    case refused(String)
    /// The question is too large for the server, by time or memory, or too long for a proxy: ask for less time or fewer
    /// ids.
    case questionTooLarge
    /// The answer would be too large: ask for fewer rows.
    case tooLarge
    /// Ask again after this time, not before.
    case rateLimited(retryAfter: Duration)
    /// The store is away or in trouble; the text says how. Ask again later.
    case unavailable(String)
    /// Another API is spoken from now on, and the cursor is of the one before: ask from the beginning.
    case cursorLost
    /// The answer is no longer wanted.
    case cancelled

    package var description: String {
        switch self {
        case .refused(let reason), .unavailable(let reason): reason
        case .questionTooLarge: "the trace store found the question too large, or too large to answer in time"
        case .tooLarge: "the trace store found the answer too large"
        case .rateLimited(let pause):
            "the trace store's rate limit is used up for \(max(Int((pause / .seconds(1)).rounded(.up)), 1)) s"
        case .cursorLost: "the trace store has changed its API"
        case .cancelled: "cancelled"
        }
    }
}
