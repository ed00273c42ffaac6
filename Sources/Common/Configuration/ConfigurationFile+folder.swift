internal import FoundationEssentials

extension ConfigurationFile {
    /// The most files of a folder.
    package static let folderLimit = 256

    /// Reads a file, or those of a folder whose names end in `.yaml` or `.yml`, in the order of their names' bytes.
    /// - Throws: the problems of all files that cannot be read, or that the folder has none.
    package static func all(at path: String) throws(ConfigurationError) -> [ConfigurationFile] {
        // A listing of what is no folder fails.
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            return [try ConfigurationFile(reading: path)]
        }
        let chosen = names.filter { ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) && !$0.hasPrefix(".") }.sorted()
        guard !chosen.isEmpty else {
            throw ConfigurationError(at: .file(path), "is a folder without a file whose name ends in `.yaml` or `.yml`")
        }
        guard chosen.count <= folderLimit else {
            throw ConfigurationError(at: .file(path), "holds more than \(folderLimit) files; join some of them")
        }
        var log = ProblemLog()
        let separator = path.hasSuffix("/") ? "" : "/"
        let files = chosen.compactMap { name in
            log.attempt { () throws(ConfigurationError) in try ConfigurationFile(reading: path + separator + name) }
        }
        try log.check()
        return files
    }
}
