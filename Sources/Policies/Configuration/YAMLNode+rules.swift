internal import Common

extension YAMLNode {
    /// One of some words.
    func choice<Value>(among choices: [(word: String, value: Value)]) throws(ConfigurationError) -> Value {
        let text = try string()
        if let choice = choices.first(where: { $0.word == text }) { return choice.value }
        let hint =
            SpellingSuggestion.nearest(to: text, among: choices.map(\.word)).map { " Did you mean `\($0)`?" } ?? ""
        let list = choices.map { "`\($0.word)`" }.joined(separator: ", ")
        throw error("\(label) cannot be `\(text)`.\(hint) It can be \(list).")
    }

    /// Status codes, as numbers or texts, and the words for what has none.
    func failures() throws(ConfigurationError) -> Set<Route.Failure> {
        var found: Set<Route.Failure> = []
        for node in try sequence() {
            let text = try node.string()
            guard let failure = Route.Failure(word: text) else {
                let words = Route.Failure.words.map { "`\($0.word)`" }.joined(separator: ", ")
                let hint = SpellingSuggestion.nearest(to: text, among: Route.Failure.words.map(\.word)).map {
                    "; did you mean `\($0)`?"
                }
                throw node.error("\(node.label) must be a status from 400 to 599, or one of \(words)\(hint ?? "")")
            }
            found.insert(failure)
        }
        return found
    }
}

extension YAMLMapping {
    /// Refuses keys that a later version will know.
    func refuse(_ later: [String]) throws(ConfigurationError) {
        let found = entries.filter { entry in later.contains { $0 == entry.key } }
        if found.isEmpty { return }
        throw ConfigurationError(
            found.map { ConfigurationProblem(.error, at: $0.location, "`\($0.key)` is not supported yet") })
    }
}
