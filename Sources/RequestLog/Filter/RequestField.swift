package import Common

/// A property of a request by which rows are filtered and grouped. It has no value, one, or, for teams and rules, many.
package enum RequestField: Sendable, Hashable {
    case known(Known)
    /// A key of the request's metadata, of any name.
    case metadata(UTF8Text)

    /// The properties that every gateway's rows have. Their numbers stand in files, so they are never reused.
    package enum Known: UInt8, Sendable, CaseIterable {
        case outcome = 1
        case status = 2
        case errorCode = 3
        case finishReason = 4
        case model = 5
        case modelAsked = 6
        case provider = 7
        case target = 8
        case account = 9
        case user = 10
        case team = 11
        case rule = 12
        case rollout = 13
        case invocation = 14
        case experiment = 15
        case run = 16
        case row = 17
        case path = 18

        /// The name in queries.
        package var name: String {
            switch self {
            case .outcome: "outcome"
            case .status: "status"
            case .errorCode: "error_code"
            case .finishReason: "finish_reason"
            case .model: "model"
            case .modelAsked: "model_asked"
            case .provider: "provider"
            case .target: "target"
            case .account: "account"
            case .user: "user"
            case .team: "team"
            case .rule: "rule"
            case .rollout: "rollout"
            case .invocation: "invocation"
            case .experiment: "experiment"
            case .run: "run"
            case .row: "row"
            case .path: "path"
            }
        }

        /// The property of that name.
        package static func named(_ name: String) -> Self? { allCases.first { $0.name == name } }
    }

    /// The text in front of a metadata key's name in queries.
    package static let metadataPrefix = "metadata."

    /// The name in queries.
    package var name: String {
        switch self {
        case .known(let known): known.name
        case .metadata(let key): Self.metadataPrefix + key.text
        }
    }

    /// - Parameter name: as in queries. Nil if there is no such property.
    package init?(named name: String) {
        if name.hasPrefix(Self.metadataPrefix), name.utf8.count > Self.metadataPrefix.utf8.count {
            self = .metadata(
                UTF8Text(String(decoding: name.utf8.dropFirst(Self.metadataPrefix.utf8.count), as: UTF8.self)))
        } else if let known = Known.named(name) {
            self = .known(known)
        } else {
            return nil
        }
    }
}

extension RequestRow {
    /// The values of a property: none, one, or several of teams and rules. None is twice in it.
    package func values(of field: RequestField) -> [String] {
        switch field {
        case .known(let known): values(of: known)
        case .metadata(let key): metadata.first { $0.key == key.text }.map { [$0.value] } ?? []
        }
    }

    private func values(of field: RequestField.Known) -> [String] {
        let value: String? =
            switch field {
            case .team: nil
            case .rule: nil
            case .outcome: outcome.rawValue
            case .status: String(status)
            case .errorCode: errorCode
            case .finishReason: finishReason
            case .model: modelServed
            case .modelAsked: modelAsked
            case .provider: provider
            case .target: target
            case .account: account
            case .user: user
            case .rollout: rollout?.rollout
            case .invocation: rollout?.invocation
            case .experiment: rollout?.experiment
            case .run: rollout?.run
            case .row: rollout?.row
            case .path: path
            }
        switch field {
        case .team: return teams.withoutRepetitions
        case .rule: return rules.withoutRepetitions
        default: return value.map { [$0] } ?? []
        }
    }
}

extension [String] {
    fileprivate var withoutRepetitions: [String] {
        var seen: Set<UTF8Text> = []
        return filter { seen.insert($0) }
    }
}
