internal import Common
internal import HTTPTypes
internal import Hummingbird

extension GatewayError {
    /// The headers of every answer that is an error.
    var fields: HTTPFields {
        var fields: HTTPFields = [.contentType: "application/json"]
        for header in retryHeaders + headers {
            if let name = HTTPField.Name(header.name) { fields[name] = header.value }
        }
        return fields
    }

    /// The error as an answer in OpenAI's shape.
    var response: Response {
        var headers = fields
        // RFC 9110 §15.5.2 and §15.5.6 ask for these. What is not allowed is a completion by another method, unless who
        // refuses it says more.
        if status == 401 { headers[.wwwAuthenticate] = "Bearer" }
        if status == 405 { headers[.allow] = "POST" }
        return Response(
            status: .init(code: status), headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
    }

    static let ingressFailed = GatewayError.internalError(
        "The gateway failed. Its log has the cause under this answer's x-insertion-id.", shouldRetry: false)
}
