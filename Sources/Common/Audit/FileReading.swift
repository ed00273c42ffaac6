/// The outcome of reading an operator's files again, for the audit log.
package enum FileReading: Sendable {
    case taken(from: FileContents, to: FileContents)
    /// They cannot be used, and what was in force stays so.
    case refused(AuditDetails)

    package typealias Take = @Sendable (FileReading) -> Void

    /// - Parameter path: of the file or folder that was refused.
    package static func refused(
        at path: String, because error: ConfigurationError, inForce current: FileContents
    ) -> FileReading {
        let files = try? ConfigurationFile.all(at: path)
        return .refused(
            AuditDetails.refused(
                files.map { FileContents(of: $0).sha256 }, because: error.problems, inForce: current))
    }
}
