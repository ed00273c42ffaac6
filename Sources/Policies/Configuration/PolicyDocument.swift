internal import Common

/// One document of the operator's rules, with its place in the files, for people.
package struct PolicyDocument: Sendable, Equatable {
    package struct Rule: Sendable, Equatable {
        /// Its id; of a document on metadata without rules of that name, the key that it is about.
        package let id: String
        /// Counted from 1.
        package let line: Int
    }

    package let type: String
    package let name: String?
    /// The file's name without its folders.
    package let file: String
    /// The line on which the document begins, counted from 1.
    package let line: Int
    package let rules: [Rule]

    /// - Parameter map: a document that was read, and is right.
    init(_ map: YAMLMapping, of type: String) {
        self.type = type
        name = try? map["name"]?.string()
        (file, line) = Self.place(of: map.node.location)
        let keys = (try? map["keys"]?.mapping().entries) ?? []
        let nodes = (try? map["rules"]?.sequence()) ?? []
        let ruled = nodes.map { node in
            Rule(id: (try? node.mapping().required("id").string()) ?? "–", line: Self.place(of: node.location).line)
        }
        rules = keys.map { Rule(id: $0.key, line: Self.place(of: $0.location).line) } + ruled
    }

    private static func place(of location: ConfigurationProblem.Location) -> (file: String, line: Int) {
        guard case .position(let file, let line, _) = location else { return ("", 0) }
        return (file.lastPathComponent, line)
    }
}
