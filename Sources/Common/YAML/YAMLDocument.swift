/// A YAML file read whole, as one tree of values.
///
/// Refuses parts that configuration does not need, because they hide mistakes or cost without bound: several documents,
/// anchors and aliases, tags, duplicate keys, keys that are not text, more than `depthLimit` levels, more than 1 MiB.
package struct YAMLDocument: Sendable {
    /// The most levels of sequences and mappings within one another.
    package static let depthLimit = 32

    /// The top value; null when the file holds nothing.
    package let root: YAMLNode

    /// Parses bytes in memory. `file` names them in errors.
    package init(parsing bytes: [UInt8], file: String) throws(ConfigurationError) {
        guard bytes.count <= ConfigurationFile.sizeLimit else {
            throw ConfigurationError(at: .file(file), ConfigurationFile.sizeRule)
        }
        let root = bytes.withUnsafeBufferPointer { buffer -> Result<YAMLNode, ConfigurationError> in
            do throws(ConfigurationError) {
                var loader = try YAMLLoader(buffer, file: file)
                return .success(try loader.document())
            } catch {
                return .failure(error)
            }
        }
        self.root = try root.get()
    }

    /// The top values of a file that may hold several documents, with `---` between them.
    package static func roots(of file: ConfigurationFile) throws(ConfigurationError) -> [YAMLNode] {
        let roots = file.bytes.withUnsafeBufferPointer { buffer -> Result<[YAMLNode], ConfigurationError> in
            do throws(ConfigurationError) {
                var loader = try YAMLLoader(buffer, file: file.path)
                return .success(try loader.documents())
            } catch {
                return .failure(error)
            }
        }
        return try roots.get()
    }

    package init(_ file: ConfigurationFile) throws(ConfigurationError) {
        try self.init(parsing: file.bytes, file: file.path)
    }

    /// Reads and parses a file.
    package init(path: String) throws(ConfigurationError) {
        try self.init(ConfigurationFile(reading: path))
    }
}
