package import Common
internal import JSON

/// The client's word on whether its request may stand in traces (TrueFoundry's header, and the key of its metadata).
package enum LoggingSwitch {
    package static let header = "x-tfy-logging-config"
    /// The key of metadata that says the same. It is not metadata itself.
    package static let key = "tfy_log_request"

    /// The part of a request that says so.
    package enum Carrier: Sendable {
        case header, metadata

        package var name: String {
            switch self {
            case .header: LoggingSwitch.header
            case .metadata: LoggingSwitch.key
            }
        }
    }

    /// Reads the header.
    /// - Returns: whether the request may stand in traces.
    /// - Throws: 400 for a value that cannot be read or kept. A misspelt one would not keep a request out of the
    ///   traces.
    package static func read(_ value: String) throws(GatewayError) -> Bool {
        guard let object = try? JSONObject.scan(Array(value.utf8), maximumDepth: 4) else {
            throw .invalidMetadata(header, #"it is not a JSON object such as {"enabled": false}"#)
        }
        for member in object.members {
            switch object.name(of: member) {
            case "enabled": continue
            case "tracing_project_fqn":
                throw .invalidMetadata(
                    header,
                    "it has `tracing_project_fqn`, and traces go to the project that the path names. Leave it out")
            default:
                let name = object.name(of: member).map { MetadataLimits.shown($0) } ?? "?"
                throw .invalidMetadata(header, "it has `\(name)`, which is not known. Known is `enabled` alone")
            }
        }
        guard let member = object.member("enabled") else { return true }
        guard let isEnabled = object.bool(member) else {
            throw .invalidMetadata(header, "its `enabled` is \(member.kind.noun); write true or false, without quotes")
        }
        return isEnabled
    }

    /// Reads the value of the metadata's key; nil for one that it cannot have.
    static func wish(_ value: String) -> Bool? {
        switch value {
        case "true": true
        case "false": false
        default: nil
        }
    }
}
