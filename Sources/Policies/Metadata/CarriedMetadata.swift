package import Common
internal import JSON

/// The metadata that a request's headers carry, gathered header by header. Each key has one value over all of them.
package struct CarriedMetadata: Sendable {
    /// The header that is always read.
    package static let header = "x-tfy-metadata"
    /// Deep enough to name the key whose value is an object or a list.
    private static let depthLimit = 16
    private static let propertyPrefix = "helicone-property-"

    package private(set) var metadata = ResolvedMetadata()
    /// Whether the request may stand in traces, as far as its metadata says.
    package private(set) var wishesLog = true
    /// The header that a key was first seen in, by the key's place among the entries.
    private var carriers: [String] = []

    package init() {}

    /// Whether a field carries metadata, be the header turned on or not. Such a field goes to no provider.
    package static func isCarrier(_ name: String) -> Bool {
        name.equalsIgnoringASCIICase(header) || MetadataHeader.allCases.contains { isCarrier(name, of: $0) }
    }

    /// Whether a field of that name belongs to a header.
    package static func isCarrier(_ name: String, of header: MetadataHeader) -> Bool {
        guard header == .helicone else { return name.equalsIgnoringASCIICase(header.rawValue) }
        return name.utf8.count >= propertyPrefix.utf8.count
            && String(decoding: name.utf8.prefix(propertyPrefix.utf8.count), as: UTF8.self)
                .equalsIgnoringASCIICase(propertyPrefix)
    }

    /// Adds a value of `X-TFY-METADATA`.
    /// - Throws: 400 naming the key, the rule and what repairs it.
    package mutating func add(_ value: String) throws(GatewayError) {
        try addObject(value, of: Self.header, takesScalars: false)
    }

    /// Adds a field of a further header.
    /// - Parameter name: the field's own name, which is a part of what Helicone's say.
    package mutating func add(_ value: String, named name: String, of header: MetadataHeader) throws(GatewayError) {
        switch header {
        case .portkey: try addObject(value, of: header.rawValue, takesScalars: false)
        case .cloudflare: try addObject(value, of: header.rawValue, takesScalars: true)
        case .helicone: try add(name.dropFirst(Self.propertyPrefix.utf8.count).lowercased(), value, of: header.rawValue)
        case .litellm: try addTags(value, of: header.rawValue)
        }
    }

    /// - Parameter takesScalars: whether numbers and booleans become the text that they are written as.
    private mutating func addObject(
        _ text: String, of header: String, takesScalars: Bool
    ) throws(GatewayError) {
        let object: JSONObject
        do throws(JSONScanError) {
            object = try JSONObject.scan(Array(text.utf8), maximumDepth: Self.depthLimit)
        } catch {
            throw Self.error(header, error)
        }
        for member in object.members {
            guard let key = object.name(of: member) else { continue }
            try add(
                key, try Self.value(of: member, in: object, key: key, header: header, takesScalars: takesScalars),
                of: header)
        }
    }

    private static func value(
        of member: JSONObject.Member, in object: JSONObject, key: String, header: String, takesScalars: Bool
    ) throws(GatewayError) -> String {
        switch member.kind {
        case .string:
            if let text = object.string(member) { return text }
            throw error(header, key: key, fault: "has a value with half of a surrogate pair; write whole characters")
        case .number where takesScalars, .true where takesScalars, .false where takesScalars:
            return String(decoding: object.bytes[member.value], as: UTF8.self)
        default:
            throw error(
                header, key: key,
                fault: "has a value that is \(member.kind.noun); write it as a string, in quotes, or leave the key out")
        }
    }

    /// LiteLLM's list: `a:b` is the value `b` of the key `a`, and `a` the value `true` of the key `tag.a`.
    private mutating func addTags(_ text: String, of header: String) throws(GatewayError) {
        for item in text.split(separator: ",") {
            let tag = Self.trimmed(item)
            guard !tag.isEmpty else { continue }
            let parts = tag.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 {
                try add(Self.trimmed(parts[0]), Self.trimmed(parts[1]), of: header)
            } else {
                try add("tag.\(tag)", "true", of: header)
            }
        }
    }

    private mutating func add(_ key: String, _ value: String, of header: String) throws(GatewayError) {
        if key == LoggingSwitch.key {
            guard let wish = LoggingSwitch.wish(value) else {
                throw Self.error(header, key: key, fault: "is a switch; its value is `true` or `false`")
            }
            // Of several headers one that says no counts.
            wishesLog = wishesLog && wish
            return
        }
        if let fault = MetadataLimits.fault(ofKey: key) ?? MetadataLimits.fault(ofValue: value) {
            throw Self.error(header, key: key, fault: fault)
        }
        if let place = metadata.entries.firstIndex(where: { $0.key == key }) {
            guard metadata.entries[place].value != value else { return }
            throw Self.error(
                header, key: key, fault: "has another value in `\(carriers[place])`; send one value for each key")
        }
        guard metadata.entries.count < MetadataLimits.entryLimit else {
            throw Self.error(
                header, key: key, fault: "is one too many: a request has at most \(MetadataLimits.entryLimit) keys")
        }
        metadata.set(key, to: value, from: .header)
        carriers.append(header)
    }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let bytes = text.utf8.drop(while: isSpace)
        return String(decoding: Array(bytes.reversed().drop(while: isSpace).reversed()), as: UTF8.self)
    }
}

extension CarriedMetadata {
    private static func error(_ header: String, key: String, fault: String) -> GatewayError {
        .invalidMetadata(header, "the key `\(MetadataLimits.shown(key))` \(fault)")
    }

    private static func error(_ header: String, _ error: JSONScanError) -> GatewayError {
        let example = #"Send a JSON object of strings, such as {"team": "search"}"#
        switch error.code {
        case .duplicateKey(let key): return self.error(header, key: key, fault: "is there twice; send it once")
        case .tooDeep:
            return .invalidMetadata(header, "a value is nested. \(example)")
        case .notAnObject(let kind): return .invalidMetadata(header, "it is \(kind.noun), not an object. \(example)")
        case .empty: return .invalidMetadata(header, "it is empty. \(example), or leave the header out")
        default: return .invalidMetadata(header, "it is not JSON, at its byte \(error.offset). \(example)")
        }
    }
}

extension GatewayError {
    /// A header's metadata cannot be taken.
    package static func invalidMetadata(_ header: String, _ fault: String) -> GatewayError {
        .invalidRequest(code: "invalid_metadata", "The header `\(header)` cannot be read: \(fault).", param: header)
    }
}
