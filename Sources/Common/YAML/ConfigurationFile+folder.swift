internal import FoundationEssentials

extension ConfigurationFile {
    /// The most files of a folder.
    package static let folderLimit = 256

    /// Stamps that tell one state of a file, or of a folder and those of its files that are read, from another.
    package static func stamps(of path: String) -> [FileStamp?] {
        guard let names = try? names(in: path) else { return [FileStamp(of: path)] }
        return [FileStamp(of: path)] + names.map { FileStamp(of: $0) }
    }

    /// The paths of a folder's files that are read, in the order of their names' bytes.
    /// - Throws: for what is not a folder.
    private static func names(in path: String) throws -> [String] {
        let separator = path.hasSuffix("/") ? "" : "/"
        return try FileManager.default.contentsOfDirectory(atPath: path)
            .filter { ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) && !$0.hasPrefix(".") }.sorted()
            .map { path + separator + $0 }
    }

    /// Reads a file, or those of a folder whose names end in `.yaml` or `.yml`, in the order of their names' bytes.
    /// - Throws: the problems of all files that cannot be read, or that the folder has none.
    package static func all(at path: String) throws(ConfigurationError) -> [ConfigurationFile] {
        guard let chosen = try? names(in: path) else { return [try ConfigurationFile(reading: path)] }
        guard !chosen.isEmpty else {
            throw ConfigurationError(at: .file(path), "is a folder without a file whose name ends in `.yaml` or `.yml`")
        }
        guard chosen.count <= folderLimit else {
            throw ConfigurationError(at: .file(path), "holds more than \(folderLimit) files; join some of them")
        }
        var log = ProblemLog()
        let files = chosen.compactMap { file in
            log.attempt { () throws(ConfigurationError) in try ConfigurationFile(reading: file) }
        }
        try log.check()
        return files
    }
}
