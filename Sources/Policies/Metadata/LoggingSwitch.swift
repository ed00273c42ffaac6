package import Common
internal import JSON

/// A header that asks for a request to be left out of the logs (TrueFoundry's). The gateway cannot do that yet, and
/// says so, since its client would rely on it.
package enum LoggingSwitch {
    package static let header = "x-tfy-logging-config"

    /// - Throws: 400 for a value that turns logging off, or cannot be read.
    package static func check(_ value: String) throws(GatewayError) {
        guard let object = try? JSONObject.scan(Array(value.utf8), maximumDepth: 4),
            let isEnabled = object.member("enabled").map({ object.bool($0) }) ?? true
        else {
            throw .invalidMetadata(header, #"it is no JSON object such as {"enabled": true}"#)
        }
        guard isEnabled else {
            throw .invalidRequest(
                code: "invalid_metadata",
                "The header `\(header)` asks for no log. Leaving a request out of the traces is not supported yet; "
                    + "send the request without the header to have it traced.", param: header)
        }
    }
}
