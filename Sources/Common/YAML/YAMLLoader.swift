/// Turns libyaml's events into a tree of values, and refuses what `YAMLDocument` names.
struct YAMLLoader: ~Copyable {
    private var parser: YAMLParser
    private let bytes: UnsafeBufferPointer<UInt8>
    private let file: String

    init(_ bytes: UnsafeBufferPointer<UInt8>, file: String) throws(ConfigurationError) {
        guard let parser = YAMLParser(bytes) else {
            throw ConfigurationError(at: .file(file), "there is no memory to read it")
        }
        self.parser = parser
        self.bytes = bytes
        self.file = file
    }

    /// The file's only document.
    mutating func document() throws(ConfigurationError) -> YAMLNode {
        var root: YAMLNode?
        while true {
            let event = try next()
            switch event.kind {
            case .documentStart where root != nil:
                throw error(event, "a second document begins here; a configuration file holds one: remove the `---`")
            case .documentStart:
                root = try value(next(), path: "", depth: 0)
            case .streamEnd:
                return root ?? YAMLNode(content: .scalar("", isPlain: true), file: file, line: 1, column: 1, path: "")
            default: break
            }
        }
    }

    /// All documents of a file that may hold several. One that says nothing is passed over.
    mutating func documents() throws(ConfigurationError) -> [YAMLNode] {
        var roots: [YAMLNode] = []
        while true {
            let event = try next()
            switch event.kind {
            case .documentStart:
                let root = try value(next(), path: "", depth: 0)
                if !root.isNull { roots.append(root) }
            case .streamEnd: return roots
            default: break
            }
        }
    }

    private mutating func value(_ event: YAMLEvent, path: String, depth: Int) throws(ConfigurationError) -> YAMLNode {
        if case .alias = event.kind {
            throw error(event, "aliases (`*name`) are not read; write the value out, or quote it if it begins with `*`")
        }
        if event.isAnchored {
            throw error(event, "anchors (`&name`) are not read; remove it, or quote the value if it begins with `&`")
        }
        if let tag = event.tag {
            throw error(event, "tags are not read; remove `\(tag)`, or quote the value if it begins with `!`")
        }
        let content: YAMLNode.Content
        switch event.kind {
        case .scalar(let text, let isPlain): content = .scalar(text, isPlain: isPlain)
        case .sequenceStart: content = .sequence(try elements(of: event, path: path, depth: depth + 1))
        default: content = .mapping(try entries(of: event, path: path, depth: depth + 1))
        }
        return YAMLNode(content: content, file: file, line: event.line, column: event.column, path: path)
    }

    private mutating func elements(
        of start: YAMLEvent, path: String, depth: Int
    ) throws(ConfigurationError) -> [YAMLNode] {
        try check(depth, at: start)
        var elements: [YAMLNode] = []
        while true {
            let event = try next()
            if case .sequenceEnd = event.kind { return elements }
            elements.append(try value(event, path: "\(path)[\(elements.count)]", depth: depth))
        }
    }

    private mutating func entries(
        of start: YAMLEvent, path: String, depth: Int
    ) throws(ConfigurationError) -> [YAMLMapping.Entry] {
        try check(depth, at: start)
        var entries: [YAMLMapping.Entry] = []
        var lines: [UTF8Text: Int] = [:]
        while true {
            let event = try next()
            if case .mappingEnd = event.kind { return entries }
            guard case .scalar(let key, _) = try value(event, path: path, depth: depth).content else {
                throw error(event, "a key must be text, not a list or a mapping")
            }
            if let first = lines.updateValue(event.line, forKey: UTF8Text(key)) {
                throw error(event, "`\(key)` is already given on line \(first); remove one of them")
            }
            let position = ConfigurationProblem.Location.position(file: file, line: event.line, column: event.column)
            let value = try value(next(), path: path.isEmpty ? key : "\(path).\(key)", depth: depth)
            entries.append(YAMLMapping.Entry(key: key, location: position, value: value))
        }
    }

    private func check(_ depth: Int, at event: YAMLEvent) throws(ConfigurationError) {
        if depth > YAMLDocument.depthLimit {
            throw error(event, "is nested deeper than \(YAMLDocument.depthLimit) levels")
        }
    }

    private mutating func next() throws(ConfigurationError) -> YAMLEvent {
        do throws(YAMLFailure) {
            return try parser.next()
        } catch {
            let (line, column) = error.position ?? position(ofByte: error.byteOffset)
            let isTab = isTab(line: line, column: column)
            let message = isTab ? "a tab stands here; YAML is indented with spaces alone" : error.message
            throw ConfigurationError(at: .position(file: file, line: line, column: column), message)
        }
    }

    private func position(ofByte offset: Int) -> (line: Int, column: Int) {
        let before = bytes.prefix(offset)
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let newlines = before.count { $0 == UInt8(ascii: "\n") }
        return (newlines + 1, before.count - lineStart + 1)
    }

    /// Whether the character there is a tab.
    private func isTab(line: Int, column: Int) -> Bool {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: line, omittingEmptySubsequences: false)
        guard lines.indices.contains(line - 1) else { return false }
        let starts = lines[line - 1].filter { $0 & 0xC0 != 0x80 }
        return starts.indices.contains(column - 1) && starts[column - 1] == UInt8(ascii: "\t")
    }

    private func error(_ event: YAMLEvent, _ message: String) -> ConfigurationError {
        ConfigurationError(at: .position(file: file, line: event.line, column: event.column), message)
    }
}
