package import Common
internal import FoundationEssentials
package import Policies

/// Rules that a test writes.
package enum PolicyFixture {
    /// Reads the rules of files in a folder of their own.
    package static func read(
        _ files: [(name: String, text: String)], asksForKeys: Bool = true
    ) throws -> Policies {
        let folder = try RedisServer.makeFolder()
        defer { RedisServer.removeFolder(folder) }
        for file in files { try Data(file.text.utf8).write(to: URL(filePath: "\(folder)/\(file.name)")) }
        return try PolicyReader.read(ConfigurationFile.all(at: folder), asksForKeys: asksForKeys)
    }

    package static func read(_ text: String, asksForKeys: Bool = true) throws -> Policies {
        try read([("gateway.yaml", text)], asksForKeys: asksForKeys)
    }

    package static func metadata(
        _ entries: [String: String], from origin: ResolvedMetadata.Origin = .header
    ) -> ResolvedMetadata {
        var metadata = ResolvedMetadata()
        for (key, value) in entries.sorted(by: { $0.key < $1.key }) { metadata.set(key, to: value, from: origin) }
        return metadata
    }
}
