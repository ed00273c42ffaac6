import FoundationEssentials

/// A new folder for the files of one test.
struct TemporaryFolder {
    let path: String

    /// Lends a folder to `body` and removes it with all that is in it.
    static func with<Result>(_ body: (TemporaryFolder) throws -> Result) throws -> Result {
        let folder = TemporaryFolder(
            path: FileManager.default.temporaryDirectory.appending(path: "configuration-\(UUID().uuidString)").path)
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        return try body(folder)
    }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ text: String, to name: String = "secrets.yaml", mode: Int = 0o600) throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(filePath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}
