internal import HTTPTypes
internal import Hummingbird

extension Response {
    /// The answer as a browser must take it: of the type that it names, and, opened as a page, without scripts, forms
    /// and the gateway's origin. Its bytes may be a provider's, or of anyone whom a model quoted. It replaces what an
    /// answer says of that by itself.
    var sandboxed: Response {
        var response = self
        response.headers.sandbox()
        return response
    }
}

extension HTTPFields {
    /// Adds what ``Response/sandboxed`` says.
    mutating func sandbox() {
        self[.xContentTypeOptions] = "nosniff"
        self[.contentSecurityPolicy] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    }
}
