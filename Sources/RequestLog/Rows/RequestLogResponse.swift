/// The answer to a question about the request log.
package struct RequestLogResponse: Sendable {
    /// Takes one piece of a body. It returns once there is room for the next one.
    package typealias Write = (_ piece: ArraySlice<UInt8>) async throws -> Void

    package enum Body: Sendable {
        case whole([UInt8])
        /// An export, made piece by piece while it is written. An error leaves it cut off.
        case pieces(@Sendable (_ write: Write) async throws -> Void)
    }

    /// The HTTP status.
    package var status: Int
    package var contentType: String
    package var body: Body

    package init(status: Int = 200, contentType: String = "application/json", body: Body) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// Writes the body, in one piece or in many.
    package func write(to write: Write) async throws {
        switch body {
        case .whole(let bytes): try await write(bytes[...])
        case .pieces(let make): try await make(write)
        }
    }
}
