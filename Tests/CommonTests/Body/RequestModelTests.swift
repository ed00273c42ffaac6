import Testing

@testable import Common

/// The model is read wherever clients write it, and a request names one.
@Suite struct RequestModelTests {
    private func read(
        _ body: String = "", method: String = "POST", path: String, query: String? = nil
    ) throws(GatewayError) -> RequestModel {
        try RequestModel(
            content: RequestContent(Array(body.utf8), contentType: nil, maximumDepth: 8), method: method, path: path,
            query: query)
    }

    @Test(arguments: [
        ("/v1beta/models/p/m:generateContent", "p/m", "/v1beta/models/NEW:generateContent"),
        ("/v1beta/models/m:streamGenerateContent", "m", "/v1beta/models/NEW:streamGenerateContent"),
        ("/v1beta/models/p/m%3AgenerateContent", "p/m", "/v1beta/models/NEW%3AgenerateContent"),
        ("/models/p/ft:m:x:generateContent", "p/ft:m:x", "/models/NEW:generateContent"),
        ("/v1alpha/models/p%20q/m:embedContent", "p q/m", "/v1alpha/models/NEW:embedContent"),
        ("/openai/deployments/p/m/chat/completions", "p/m", "/openai/deployments/NEW/chat/completions"),
        ("/openai/deployments/m/audio/transcriptions", "m", "/openai/deployments/NEW/audio/transcriptions"),
        ("/openai/deployments/p/m/new-operation", "p/m", "/openai/deployments/NEW/new-operation"),
        ("/engines/p/m/embeddings", "p/m", "/engines/NEW/embeddings"),
        ("/model/p/m/converse-stream", "p/m", "/model/NEW/converse-stream"),
    ])
    func `in the path`(path: String, model: String, renamed: String) throws {
        let read = try read(path: path)
        #expect(read.name == model)
        #expect(read.path?.path(renamed: "a:b@1/é c") == renamed.replacing("NEW", with: "a:b@1/%C3%A9%20c"))
    }

    @Test(arguments: [
        ("/models/p/m", "p/m"), ("/v1beta/models/m", "m"), ("/models/ft:gpt-4o:org::id", "ft:gpt-4o:org::id"),
    ])
    func `look-ups name one too`(path: String, model: String) throws {
        let read = try read(method: "GET", path: path)
        #expect(read.name == model && read.path?.isLookUp == true)
    }

    @Test(arguments: ["/models", "/models/", "/files/models/x", "/embeddings", "/openai/deployments/", "/x:y"])
    func `other paths name none`(path: String) throws {
        for method in ["POST", "GET"] { #expect(try read(method: method, path: path).name == nil) }
    }

    @Test(arguments: [("model=p%2Fm", "model=NEW"), ("a=1&%6dodel=p/m&b", "a=1&model=NEW&b")])
    func `in the query`(query: String, renamed: String) throws {
        let read = try read(path: "/realtime", query: query)
        #expect(read.name == "p/m")
        #expect(read.query(query, renamed: "a/b") == renamed.replacing("NEW", with: "a%2Fb"))
    }

    @Test(
        arguments: [
            (#"{"model":"a"}"#, "/embeddings", "model=b"), ("", "/embeddings", "model=a&model=a"),
            (#"{"model":"a"}"#, "/v1beta/models/b:generateContent", nil),
            (#"{"model":"p/a"}"#, "/openai/deployments/a/chat/completions", nil),
            ("", "/v1beta/models/b:generateContent", "model=a"),
            (#"{"model":"é"}"#, "/x", "model=e%CC%81"), (#"{"MODEL":"a"}"#, "/x", nil),
            (#"{"model":["a"]}"#, "/x", nil), ("", "/x", "model=%ff"),
            (#"{"model":""}"#, "/x", nil),
        ] as [(String, String, String?)])
    func `two models are refused`(body: String, path: String, query: String?) {
        let error = #expect(throws: GatewayError.self) { try read(body, path: path, query: query) }
        #expect(error?.status == 400)
    }

    @Test(arguments: [("{\"model\":\"m\"}", "model=m"), ("{\"model\":\"models/m\"}", nil)] as [(String, String?)])
    func `the same model twice is one`(body: String, query: String?) throws {
        #expect(try read(body, path: "/v1beta/models/m:embedContent", query: query).name == "m")
    }
}
