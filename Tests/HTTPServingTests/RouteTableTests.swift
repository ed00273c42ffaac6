import HTTPServing
import HTTPTypes
import Testing

struct RouteTableTests {
    private struct Row: TableRoute {
        let methods: [HTTPRequest.Method]
        let path: PathPattern
        let name: String

        func takes(_ parameter: String) -> Bool { parameter != "other" }
    }

    private static let table = RouteTable([
        Row(methods: [.get], path: "/a", name: "list"), Row(methods: [.post], path: "/a", name: "add"),
        Row(methods: [.delete], path: "/a/{id}", name: "delete"),
    ])

    private func found(_ method: HTTPRequest.Method, _ path: String) -> [String] {
        switch Self.table.match(method, path) {
        case .route(let route, let parameter): ["is", route.name, parameter]
        case .otherMethods(let routes, let parameter): ["has", parameter] + routes.map(\.name)
        case nil: []
        }
    }

    @Test func `a route has a path and a method`() {
        #expect(found(.get, "/a") == ["is", "list", ""] && found(.head, "/a") == ["is", "list", ""])
        #expect(found(.post, "/a") == ["is", "add", ""] && found(.delete, "/a/7") == ["is", "delete", "7"])
        #expect(found(.put, "/a") == ["has", "", "list", "add"] && found(.head, "/a/7") == ["has", "7", "delete"])
        #expect(found(.get, "/b").isEmpty && found(.delete, "/a/7/8").isEmpty)
        #expect(found(.delete, "/a/other").isEmpty, "it is not a parameter of the route")
    }
}
