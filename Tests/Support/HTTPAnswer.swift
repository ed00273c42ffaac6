package import Common
internal import JSON

/// An HTTP answer as it came over the wire.
package struct HTTPAnswer: Sendable {
    package var status: Int
    package var headers: [HeaderField]
    package var body: [UInt8] = []

    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The value of the first header of that name.
    package subscript(_ name: String) -> String? { headers.first(named: name) }

    /// Reads a head, without its last empty line. Nil if it is none.
    init?(head: String) {
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        guard let start = lines.popFirst(), start.hasPrefix("HTTP/1.1 "), let status = Int(start.dropFirst(9).prefix(3))
        else { return nil }
        self.status = status
        headers = lines.compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return HeaderField(String(line[..<colon]), String(line[colon...].dropFirst().drop { $0 == " " }))
        }
    }

    /// What `Content-Length` says.
    var length: Int? { self["content-length"].flatMap { Int($0) } }

    var isChunked: Bool { self["transfer-encoding"]?.lowercased() == "chunked" }
}

extension HTTPAnswer {
    /// The error that the answer tells, if it is one in OpenAI's shape, with the same words in `detail`.
    package var error: GatewayError? { GatewayError(json: body, status: status) }
}

extension GatewayError {
    /// Reads what `json` wrote; nil if anything of it is missing.
    package init?(json: [UInt8], status: Int) {
        guard let top = try? JSONObject.scan(json, maximumDepth: 2), let member = top.member("error"),
            let error = try? top.object(member),
            let message = error.member("message").flatMap(error.string),
            let type = error.member("type").flatMap(error.string),
            let code = error.member("code").flatMap(error.string), let param = error.member("param"),
            let detail = top.member("detail").flatMap(top.string), detail == message
        else { return nil }
        self.init(status: status, type: type, code: code, message: message, param: error.string(param))
    }
}
