internal import Common
internal import GRDB
internal import Logging

extension LangfuseError {
    /// The answer for an error, which is logged unless the client is to blame for it.
    init(of error: any Error, _ logger: Logger) {
        switch error {
        case let error as LangfuseError: self = error
        case is StoreFileGone: self = .fileGone
        // The process stops: what was not stored is sent again.
        case is CancellationError: self = .failed
        case let error as DatabaseError where Self.disk(error.resultCode) != nil:
            logger.error("the trace store cannot be written or read", metadata: ["error": "\(Self.kind(of: error))"])
            self = Self.disk(error.resultCode) ?? .failed
        default:
            logger.error("request failed", metadata: ["error": "\(Self.kind(of: error))"])
            self = .failed
        }
    }

    /// The words on an error in the log: no byte of a request (`Error.kind`), but what SQLite said, which is no
    /// client's.
    private static func kind(of error: any Error) -> String {
        (error as? DatabaseError).map { "\($0.extendedResultCode)" } ?? error.kind
    }
}
