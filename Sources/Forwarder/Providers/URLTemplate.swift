internal import Common

/// A URL with placeholders for variables: `{A|B=c}` is the first of the variables A and B that is set, or else c.
struct URLTemplate: Sendable, Equatable {
    private enum Part: Sendable, Equatable {
        case text(String)
        case variable(names: [String], fallback: String?)
    }

    private let parts: [Part]

    /// Nil when a brace has no partner or names no variable.
    init?(_ text: String) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}") else { return nil }
            let inner = rest[rest.utf8.index(after: open)..<close].split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let names = inner[0].split(separator: "|").map(String.init)
            guard !names.isEmpty else { return nil }
            parts += [
                .text(String(rest[..<open])),
                .variable(names: names, fallback: inner.count == 2 ? String(inner[1]) : nil),
            ]
            rest = rest[rest.utf8.index(after: close)...]
        }
        guard !rest.contains("}") else { return nil }
        self.parts = parts + [.text(String(rest))]
    }

    /// All variables that the template names.
    var variables: [String] {
        parts.flatMap { part -> [String] in
            if case .variable(let names, _) = part { names } else { [] }
        }
    }

    /// The first variable of each placeholder that `environment` leaves open.
    func variables(missingFrom environment: [String: String]) -> [String] {
        parts.compactMap { part in
            guard case .variable(let names, nil) = part, environment.firstSet(of: names) == nil else { return nil }
            return names[0]
        }
    }

    enum Failure: Error, Equatable {
        /// The variable is not set.
        case missing(String)
        /// The variable's value is not one label of a name or one segment of a path, so it would make another URL.
        case unusable(String)
    }

    /// The URL as `environment` has it.
    func filled(from environment: [String: String]) throws(Failure) -> String {
        var url = ""
        for part in parts {
            switch part {
            case .text(let text): url += text
            case .variable(let names, let fallback):
                let (name, value) = environment.firstSet(of: names) ?? (names[0], fallback ?? "")
                guard !value.isEmpty else { throw .missing(name) }
                guard value.utf8.allSatisfy(\.isLabelByte) else { throw .unusable(name) }
                url += value
            }
        }
        return url
    }
}

extension UInt8 {
    fileprivate var isLabelByte: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
            || "-_.".utf8.contains(self)
    }
}

extension [String: String] {
    /// The first of the variables that is set to something.
    func firstSet(of names: [String]) -> (name: String, value: String)? {
        for name in names {
            if let value = self[name], !value.isEmpty { return (name, value) }
        }
        return nil
    }
}
