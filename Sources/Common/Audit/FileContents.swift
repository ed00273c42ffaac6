internal import Crypto

/// The contents of an operator's files, as far as an audit row tells: their hash, and their parts by name, each with a
/// fingerprint of its value.
package struct FileContents: Sendable, Equatable {
    /// SHA-256 in hexadecimal digits; empty where there are no files.
    package private(set) var sha256 = ""
    private var parts: [UTF8Text: [UInt8]] = [:]

    package init() {}

    /// - Parameter files: in the order in which they are read. The hash of several is that of their bytes behind each
    ///   other.
    package init(of files: [ConfigurationFile]) {
        var hash = SHA256()
        for file in files { hash.update(data: file.bytes) }
        sha256 = String(hexadecimal: Array(hash.finalize()))
    }

    /// The file of the secrets: its projects, keys and accounts by their names. Empty if it cannot be read.
    init(ofSecretsAt path: String) {
        guard let file = try? ConfigurationFile(reading: path), let root = try? YAMLDocument(file).root.mapping() else {
            self.init()
            return
        }
        self.init(of: [file])
        for entry in root.entries {
            guard case .mapping(let members) = entry.value.content else {
                add(entry.key, entry.value.content)
                continue
            }
            for member in members { add("\(entry.key)/\(member.key)", member.value.content) }
        }
    }

    /// Notes a part. Two parts of the same name count as one.
    package mutating func add(_ name: String, _ value: YAMLNode.Content) {
        var hash = SHA256()
        value.add(to: &hash)
        parts[UTF8Text(name), default: []] += Array(hash.finalize())
    }

    /// The names of the parts that are new, gone or others, in the order of their bytes.
    func changes(to after: FileContents) -> (added: [String], removed: [String], changed: [String]) {
        let (old, new) = (Set(parts.keys), Set(after.parts.keys))
        return (
            new.subtracting(old).sorted().map(\.text), old.subtracting(new).sorted().map(\.text),
            old.intersection(new).filter { parts[$0] != after.parts[$0] }.sorted().map(\.text)
        )
    }
}

extension YAMLNode.Content {
    /// Tells values apart by their content, in any place and with their keys in any order.
    fileprivate func add(to hash: inout SHA256) {
        func add(_ kind: Character, _ text: String) {
            hash.update(data: Array("\(kind)\(text.utf8.count):\(text)".utf8))
        }
        switch self {
        case .scalar(let text, let isPlain): add(isPlain ? "p" : "q", text)
        case .sequence(let nodes):
            add("s", String(nodes.count))
            for node in nodes { node.content.add(to: &hash) }
        case .mapping(let entries):
            add("m", String(entries.count))
            for entry in entries.sorted(by: { UTF8Text($0.key) < UTF8Text($1.key) }) {
                add("k", entry.key)
                entry.value.content.add(to: &hash)
            }
        }
    }
}
