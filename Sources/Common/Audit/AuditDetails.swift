package import JSON

/// The further details of an audit row: a JSON object of bounded size.
package struct AuditDetails: Sendable, Equatable {
    /// The most bytes. Details that would take more say so instead.
    package static let maximumBytes = 16 << 10
    /// Names in one list, and bytes of each: the others are counted.
    static let names = 32
    static let nameBytes = 128

    package static let none = AuditDetails(json: "{}")

    package let json: String

    /// - Parameter json: an object, as one was written before.
    package init(json: String) { self.json = json }

    /// - Parameter members: writes the members of the object.
    package init(_ members: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.object { members(&$0) }
        let count = writer.bytes.count
        if count > Self.maximumBytes {
            writer = JSONWriter()
            writer.object { $0.member("bytes_left_out", count) }
        }
        json = String(decoding: writer.bytes, as: UTF8.self)
    }

    package static func == (left: Self, right: Self) -> Bool { left.json == right.json }
}

extension AuditDetails {
    /// The number of events since the row before, and one of the requests that brought them.
    package static func count(_ count: Int, example: InsertionID?) -> AuditDetails {
        AuditDetails { writer in
            writer.member("count", count)
            if let example { writer.member("example_insertion_id", example.description) }
        }
    }

    /// The fingerprint that stands for the process's own GATEWAY_KEY in Redis.
    package static func ownKey(_ fingerprint: String) -> AuditDetails {
        AuditDetails { $0.member("own_fingerprint", fingerprint) }
    }

    /// Files that were read again and are in force.
    package static func taken(from before: FileContents, to after: FileContents) -> AuditDetails {
        AuditDetails { writer in
            writer.member("sha256_before", before.sha256)
            writer.member("sha256_after", after.sha256)
            let lists = before.changes(to: after)
            for (name, names) in [("added", lists.added), ("removed", lists.removed), ("changed", lists.changed)] {
                writer.names(name, names)
            }
        }
    }

    /// Files that were read again and cannot be used. The messages about the faults stand in the process's log alone,
    /// since each quotes the text at fault.
    /// - Parameters:
    ///   - current: the contents in force.
    ///   - sha256: of the files that were refused; nil if they cannot be read.
    package static func refused(
        _ sha256: String?, because problems: [ConfigurationProblem], inForce current: FileContents
    ) -> AuditDetails {
        AuditDetails { writer in
            writer.member("sha256_in_force", current.sha256)
            writer.member("sha256_refused", sha256)
            writer.member("problems", problems.count)
            writer.names("places", problems.map { $0.location.shortName })
        }
    }
}

extension JSONWriter {
    /// A list of names, and the number of those that there was no room for.
    fileprivate mutating func names(_ member: String, _ names: [String]) {
        self.member(member) { writer in
            writer.array(names.prefix(AuditDetails.names)) {
                $0.string(String(decoding: $1.utf8.prefix(AuditDetails.nameBytes), as: UTF8.self))
            }
        }
        let more = names.count - AuditDetails.names
        if more > 0 { self.member(member + "_left_out", more) }
    }
}

extension ConfigurationProblem.Location {
    /// The place without the folders in front of the file.
    fileprivate var shortName: String {
        switch self {
        case .environment: description
        case .file(let path): path.lastPathComponent
        case .position(let file, let line, let column): "\(file.lastPathComponent):\(line):\(column)"
        }
    }
}

extension String {
    /// The text behind the last `/`. One at the end does not count.
    package var lastPathComponent: String {
        utf8.split(separator: UInt8(ascii: "/")).last.map { String(decoding: $0, as: UTF8.self) } ?? self
    }
}
