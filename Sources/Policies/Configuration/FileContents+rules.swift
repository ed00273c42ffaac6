internal import Common

extension FileContents {
    /// Notes the rules of a document, each as `{type}/{id}`, and what else it says under its type, with its name if it
    /// has one.
    mutating func add(_ document: YAMLMapping, of type: String) {
        let rules = (try? document["rules"]?.sequence()) ?? []
        for rule in rules {
            let id = try? rule.mapping().required("id").string()
            add("\(type)/\(id ?? "?")", rule.content)
        }
        let name = try? document["name"]?.string()
        add(name.map { "\(type)/\($0)" } ?? type, .mapping(document.entries.filter { $0.key != "rules" }))
    }
}
