internal import JSON

/// The header that says which of the operator's rules an answer met (TrueFoundry's): a JSON object with the rules' ids
/// of each kind.
package struct AppliedConfigurations: Sendable {
    package static let name = "x-tfy-applied-configurations"

    private let kinds: [(name: String, rules: [String])]

    /// - Parameter kinds: with their rules' ids; nil: none.
    package init(_ kinds: [(name: String, rules: [String]?)]) {
        self.kinds = kinds.compactMap { kind in kind.rules.map { (kind.name, $0) } }
    }

    /// Nil if there are no rules.
    package var header: HeaderField? { header(before: nil) }

    /// - Parameter other: what another part of the gateway has said.
    package func header(before other: String?) -> HeaderField? {
        var members = kinds.map { kind in
            "\"\(kind.name)\":["
                + kind.rules.map { String(decoding: JSONText.quoted($0), as: UTF8.self) }.joined(separator: ",") + "]"
        }
        if let other, other.hasPrefix("{"), other.hasSuffix("}"), other.utf8.count > 2 {
            members.append(String(other.dropFirst().dropLast()))
        }
        guard !members.isEmpty else { return nil }
        return HeaderField(Self.name, HeaderText.escaped("{" + members.joined(separator: ",") + "}"))
    }
}
