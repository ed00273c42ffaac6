package import Common
internal import FoundationEssentials

/// The routes that a table of a document names in its first column.
package struct DocumentedRoutes {
    /// `GET /queue`, in no order.
    package private(set) var names: Set<UTF8Text> = []

    /// - Parameters:
    ///   - path: the document's, from the project's folder.
    ///   - prefix: is put before a path that does not begin with it.
    package init(of path: String, prefix: String = "") throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("| `") {
            guard let cell = line.dropFirst(2).split(separator: "|").first else { continue }
            read(String(cell), prefix)
        }
    }

    /// Each piece of code is `GET /path`, or one of both: methods without a path share the next one, and paths without
    /// a method have the last ones.
    private mutating func read(_ cell: String, _ prefix: String) {
        var (methods, isNew): ([String], Bool) = ([], true)
        for (index, piece) in cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
        where !index.isMultiple(of: 2) {
            for word in piece.split(separator: " ") {
                guard word.hasPrefix("/") else {
                    methods = isNew ? [String(word)] : methods + [String(word)]
                    isNew = false
                    continue
                }
                isNew = true
                let path = String(word.split(separator: "?").first ?? word)
                for method in methods {
                    names.insert(UTF8Text("\(method) \(path.hasPrefix(prefix) ? "" : prefix)\(path)"))
                }
            }
        }
    }
}
