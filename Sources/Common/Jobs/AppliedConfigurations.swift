internal import JSON

/// The header that says which of the operator's rules an answer met (TrueFoundry's): a JSON object with the rules' ids
/// of each kind.
package struct AppliedConfigurations: Sendable {
    package static let name = "x-tfy-applied-configurations"

    private let kinds: [(name: String, rules: [String]?)]

    /// - Parameter kinds: with their rules' ids; nil: none.
    package init(_ kinds: [(name: String, rules: [String]?)]) {
        self.kinds = kinds
    }

    /// Nil if there are no rules.
    package var header: HeaderField? { header(before: nil) }

    /// - Parameter other: what another part of the gateway has said.
    package func header(before other: String?) -> HeaderField? {
        // Written without `JSONWriter`: this runs for each answer.
        var json: [UInt8] = []
        // Few are longer.
        json.reserveCapacity(160 + (other?.utf8.count ?? 0))
        json.append(UInt8(ascii: "{"))
        for kind in kinds {
            guard let rules = kind.rules else { continue }
            if json.count > 1 { json.append(UInt8(ascii: ",")) }
            JSONText.append(kind.name, to: &json)
            json += ":[".utf8
            for (place, rule) in rules.enumerated() {
                if place > 0 { json.append(UInt8(ascii: ",")) }
                JSONText.append(rule, to: &json)
            }
            json.append(UInt8(ascii: "]"))
        }
        if var other, other.utf8.count > 2, other.utf8.first == UInt8(ascii: "{") {
            if json.count > 1 { json.append(UInt8(ascii: ",")) }
            other.withUTF8 { json.append(contentsOf: UnsafeBufferPointer(rebasing: $0[1..<$0.count - 1])) }
        }
        guard json.count > 1 else { return nil }
        json.append(UInt8(ascii: "}"))
        return HeaderField(Self.name, HeaderText.escaped(String(decoding: json, as: UTF8.self)))
    }
}
