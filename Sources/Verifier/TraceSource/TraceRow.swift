package import Common

/// One trace as a store told it. JSON is kept as bytes: values that are not looked at are not decoded.
package struct TraceRow: Sendable, Equatable {
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
