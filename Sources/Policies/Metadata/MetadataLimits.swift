internal import Common

/// The rules that keys and values of metadata from any source keep to.
package enum MetadataLimits {
    /// The most Unicode scalars of a key.
    package static let keyLimit = 64
    /// The most Unicode scalars of a value.
    package static let valueLimit = 128
    /// The most keys that one request may carry.
    package static let entryLimit = 64
    /// The names of the ids that say which completion a request is. The path and the gateway give them.
    package static let pathIDs = ["rollout_id", "invocation_id", "experiment_id", "run_id", "row_id"]
    private static let ownIDs = pathIDs + ["insertion_id", "project_id"]

    /// The fault of a key that a client or an operator wrote, with what repairs it; nil for a good one.
    package static func fault(ofKey key: String) -> String? {
        if let fault = fault(ofForm: key) { return fault }
        if ownIDs.contains(key) { return "is an id that the gateway takes from the path alone; put it into the path" }
        if key == LoggingSwitch.key {
            return "is a switch of the client's and no metadata; a rule of a `gateway-logging-config` decides for it"
        }
        return key.hasPrefix("tfy_") ? "begins with `tfy_`, which is reserved; choose another name" : nil
    }

    /// The fault of a key that a rule names, where the ids of the path are looked at too.
    package static func fault(ofRuledKey key: String) -> String? { pathIDs.contains(key) ? nil : fault(ofKey: key) }

    /// The fault of a value, with what repairs it; nil for a good one.
    package static func fault(ofValue value: String) -> String? {
        value.unicodeScalars.dropFirst(valueLimit).isEmpty
            ? nil : "has a value of more than \(valueLimit) characters; shorten it"
    }

    private static func fault(ofForm key: String) -> String? {
        if key.isEmpty { return "is empty; give it a name" }
        if !key.unicodeScalars.dropFirst(keyLimit).isEmpty {
            return "is longer than \(keyLimit) characters; shorten it"
        }
        // A tag `key:value` is read up to its first colon.
        let hasForbidden = key.unicodeScalars.contains { $0 == ":" || $0.properties.generalCategory == .control }
        return hasForbidden ? "holds a colon or a control character; remove it" : nil
    }

    /// The beginning of a key, as an error shows it.
    package static func shown(_ key: String) -> String {
        key.unicodeScalars.dropFirst(keyLimit).isEmpty ? key : "\(key.prefix(keyLimit))…"
    }
}
