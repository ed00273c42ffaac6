internal import JSON

/// The reasons why the choices of an answer ended, as a span tells them. Langfuse has no member for them, and its newer
/// servers keep no attribute that they do not know. So they are metadata of the span, one short text.
package enum FinishReasons {
    /// The metadata's name. Metadata that a client gives the same name could not be told from it otherwise.
    package static let name = "gateway_finish_reasons"
    /// The attribute by OpenTelemetry's conventions: a list of strings.
    package static let attribute = "gen_ai.response.finish_reasons"

    /// One reason as it is, several as a JSON list. Nil for none.
    package static func text(_ reasons: [String]) -> String? {
        guard reasons.count != 1 || reasons[0].utf8.first == UInt8(ascii: "[") else { return reasons[0] }
        guard !reasons.isEmpty else { return nil }
        var writer = JSONWriter()
        writer.array(reasons) { $0.string($1) }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Reads what `text` made. Nil for a list that cannot be read.
    package static func list(_ text: String) -> [String]? {
        guard text.utf8.first == UInt8(ascii: "[") else { return text.isEmpty ? nil : [text] }
        do throws(JSONScanError) {
            let object = try JSONObject.scan(
                Array("{\"_\":".utf8) + Array(text.utf8) + [UInt8(ascii: "}")], maximumDepth: 2)
            return object.members.count == 1 ? object.members.first.flatMap(object.strings) : nil
        } catch { return nil }
    }
}
