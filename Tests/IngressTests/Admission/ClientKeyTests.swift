import Common
import HTTPTypes
import Testing

@testable import Ingress

/// A client's key is found in whichever header its SDK writes it, and travels apart from the headers.
@Suite struct ClientKeyTests {
    private static let names = ["x-api-key", "api-key", "x-goog-api-key", "API-KEY", "X-Api-Key"]

    private func fields(_ headers: [(String, String)]) throws -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in headers {
            fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        return fields
    }

    @Test(arguments: names) func `each header carries one`(name: String) throws {
        #expect(ProviderKeyHeaders.contains(name))
        #expect(try ClientKey.read(fields([(name, "k")]), bearer: nil, isGateways: false)?.reveal() == "k")
        #expect(try ClientKey.read(fields([(name, "Bearer k")]), bearer: "k", isGateways: false)?.reveal() == "k")
        #expect(try ClientKey.read(fields([(name, "k")]), bearer: "gateway", isGateways: true)?.reveal() == "k")
        #expect(try ClientKey.read(fields([(name, "")]), bearer: nil, isGateways: false) == nil)
        // The gateway's own key goes nowhere, whichever header holds it too.
        #expect(try ClientKey.read(fields([(name, "gateway")]), bearer: "gateway", isGateways: true) == nil)
    }

    @Test(
        arguments: [
            ([("x-api-key", "b")], "a"), ([("x-api-key", "a"), ("api-key", "b")], nil),
            ([("x-api-key", "a"), ("x-api-key", "b")], "a"),
            ([("x-goog-api-key", "e\u{301}")], "\u{E9}"),
        ] as [([(String, String)], String?)])
    func `two keys are refused`(headers: [(String, String)], bearer: String?) throws {
        let fields = try fields(headers)
        let error = #expect(throws: GatewayError.self) { try ClientKey.read(fields, bearer: bearer, isGateways: false) }
        #expect(error?.status == 400 && error?.code == "ambiguous_api_key")
    }

    private func job(_ path: String, _ query: String?, key: String? = nil) throws -> Job {
        Job(
            insertionID: try #require(InsertionID("0198f3a0-0000-7000-8000-000000000001")), project: "p",
            method: "POST", path: path, query: query,
            clientKey: key.map(SecretString.init), deadline: .past, responseKey: "r")
    }

    @Test(
        arguments: [
            ("/v1beta/models/m:generateContent", "key=k%2D1", nil, "k-1", nil),
            ("/v1beta/models", "alt=sse&key=k&x", "k", "k", "alt=sse&x"),
            ("/v1alpha/x", "%6bey=k", nil, "k", nil), ("/v1beta/x", "keys=k", nil, nil, "keys=k"),
            ("/key/info", "key=k", nil, nil, "key=k"),
        ] as [(String, String, String?, String?, String?)])
    func `google's clients may write it into the query`(
        path: String, query: String, key: String?, found: String?, left: String?
    ) throws {
        var job = try job(path, query, key: key)
        try ClientKey.moveFromQuery(of: &job)
        #expect(job.clientKey?.reveal() == found && job.query == left)
    }

    @Test(arguments: ["key=a&key=b", "key=b"]) func `two keys in the query are refused`(query: String) throws {
        var job = try job("/v1beta/models", query, key: "a")
        #expect(throws: GatewayError.self) { try ClientKey.moveFromQuery(of: &job) }
    }
}
