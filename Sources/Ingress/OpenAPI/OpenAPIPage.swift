internal import Hummingbird

/// `GET /openapi.json`: the ingress's HTTP surface as an OpenAPI 3.1 document (spec.openapis.org/oas/v3.1.1). The file
/// beside this one is the document.
enum OpenAPIPage {
    private static let document = ByteBuffer(bytes: PackageResources.openapi_json)

    static var response: Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-cache"],
            body: ResponseBody(byteBuffer: document))
    }
}
