package import Common

/// A question to a trace store.
package struct TraceQuery: Sendable, Equatable {
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
    /// How long the answer is waited for; nil: as long as the store is given for any.
    package var patience: Duration?

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
    /// The number of a page, counted from 1, of so many rows each: the first API. What is left out by another size
    /// would be missed.
    case page(Int, rows: Int)
    /// The number of the query's ids that have been asked for, where each is asked for by itself.
    case index(Int)

    /// The cursor for pages of another size; nil: from the beginning.
    var resized: TraceCursor? { if case .page = self { nil } else { self } }
}
