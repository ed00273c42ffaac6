internal import Common

/// A job's body with the edits that a provider's sight of it needs. It is scanned once at most; where nothing changes, the bytes are the client's.
///
/// A body whose first visible byte is `{` is read as JSON whatever its content type says, since a provider might read it so too. Any other body
/// passes as it is.
struct JobBody {
    let object: JSONObject?
    var splice: JSONSplice?
    private let bytes: [UInt8]

    init(_ bytes: [UInt8], maximumDepth: Int) throws(GatewayError) {
        self.bytes = bytes
        let whitespace: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        guard bytes.first(where: { !whitespace.contains($0) }) == UInt8(ascii: "{") else {
            object = nil
            return
        }
        do throws(JSONScanError) {
            object = try JSONObject.scan(bytes, maximumDepth: maximumDepth)
        } catch {
            throw error.gatewayError
        }
    }

    var isJSON: Bool { object != nil }

    /// The body as it goes upstream.
    var result: [UInt8] { splice?.result() ?? bytes }

    /// The key in the body's `api_key`. The gateway puts it into a header.
    func apiKey() throws(GatewayError) -> SecretString? {
        guard let member = object?.member("api_key"), member.kind != .null else { return nil }
        guard let text = object?.string(member) else {
            throw .invalidRequest(
                code: "invalid_api_key", "`api_key` must be a string. Send the key as text, or leave the member out.", param: "api_key")
        }
        return text.isEmpty ? nil : SecretString(text)
    }

    /// Gives the body's `model` another name.
    mutating func rename(model: String) {
        guard let object, let member = object.member("model"), object.string(member) != model else { return }
        edit { $0.replace(member, with: JSONText.quoted(model)) }
    }

    /// Takes `api_key` out.
    mutating func removeAPIKey() {
        guard object?.member("api_key") != nil else { return }
        edit { $0.remove("api_key") }
    }

    /// Changes the body's members; nothing happens to a body that is no JSON object.
    mutating func edit<Failure: Error>(_ change: (inout JSONSplice) throws(Failure) -> Void) throws(Failure) {
        guard let object else { return }
        var splice = self.splice ?? JSONSplice(object)
        try change(&splice)
        self.splice = splice
    }
}
