internal import Common

/// The meaning of a path of the dashboard.
package enum DashboardRoute: Sendable, Equatable {
    case start
    case login
    case logout
    case asset(String)
    case page(Page, project: String)
    case action(Action, project: String)

    /// The action that a form asks for.
    package enum Action: Sendable, Equatable {
        /// Of the dead letter at an entry.
        case requeue(String)
        case delete(String)
    }

    /// A page of one project.
    package enum Page: Sendable, Equatable {
        case overview
        case requests
        case request(String)
        case metrics
        case rollouts
        case rollout(String)
        /// Values of a metadata key, for the filter's form.
        case suggestions
        case rules
        case queue
        case audit
    }

    package static let root = "/dashboard"

    /// Whether a path is the dashboard's.
    package static func owns(_ path: String) -> Bool { path == root || path.hasPrefix(root + "/") }

    /// The address of the queue's page, with what it says of an action.
    package static func queue(of project: String, _ said: [(name: String, value: String)]) -> String {
        Links(project: project).queue(FilterForm.query(said))
    }

    /// - Parameter path: percent-encoded, without the query. Nil if the dashboard has no such page.
    package init?(_ path: String) {
        guard Self.owns(path) else { return nil }
        var segments: [String] = []
        for part in path.utf8.dropFirst(Self.root.utf8.count).split(separator: UInt8(ascii: "/")) {
            guard let bytes = PercentDecoding.bytes(part), let text = String(validating: bytes, as: UTF8.self) else {
                return nil
            }
            segments.append(text)
        }
        switch (segments.first, segments.count) {
        case (nil, _): self = .start
        case ("login", 1): self = .login
        case ("logout", 1): self = .logout
        case ("assets", 2): self = .asset(segments[1])
        case ("projects", 5) where segments[2] == "queue" && segments[4] == "requeue":
            self = .action(.requeue(segments[3]), project: segments[1])
        case ("projects", 5) where segments[2] == "queue" && segments[4] == "delete":
            self = .action(.delete(segments[3]), project: segments[1])
        case ("projects", 2...):
            guard let page = Page(segments.dropFirst(2)) else { return nil }
            self = .page(page, project: segments[1])
        default: return nil
        }
    }
}

extension DashboardRoute.Page {
    fileprivate init?(_ segments: ArraySlice<String>) {
        let rest = Array(segments.dropFirst())
        switch (segments.first, rest.count) {
        case (nil, _): self = .overview
        case ("requests", 0): self = .requests
        case ("requests", 1): self = .request(rest[0])
        case ("metrics", 0): self = .metrics
        case ("rollouts", 0): self = .rollouts
        case ("rollouts", 1): self = .rollout(rest[0])
        case ("suggestions", 0): self = .suggestions
        case ("rules", 0): self = .rules
        case ("queue", 0): self = .queue
        case ("audit", 0): self = .audit
        default: return nil
        }
    }
}

/// The addresses of a project's pages.
struct Links: Sendable {
    let base: String

    init(project: String) {
        base = "\(DashboardRoute.root)/projects/\(PercentEncoding.segment(project))"
    }

    /// - Parameter query: without its `?`; may be empty.
    func requests(_ query: String = "") -> String { Self.join(base + "/requests", query) }
    func request(_ id: String) -> String { base + "/requests/" + PercentEncoding.segment(id) }
    func metrics(_ query: String = "") -> String { Self.join(base + "/metrics", query) }
    func queue(_ query: String = "") -> String { Self.join(base + "/queue", query) }
    func audit(_ query: String = "") -> String { Self.join(base + "/audit", query) }
    func rules(_ query: String = "") -> String { Self.join(base + "/rules", query) }
    func requeue(_ entry: String) -> String { "\(base)/queue/\(PercentEncoding.segment(entry))/requeue" }
    func delete(_ entry: String) -> String { "\(base)/queue/\(PercentEncoding.segment(entry))/delete" }
    func overview(_ query: String = "") -> String { Self.join(base, query) }
    func rollouts(_ query: String = "") -> String { Self.join(base + "/rollouts", query) }
    func rollout(_ name: String) -> String { base + "/rollouts/" + PercentEncoding.segment(name) }

    /// The requests to which one more filter applies.
    func requests(where term: FilterTerm, in form: FilterForm) -> String {
        requests(form.adding(term).query)
    }

    private static func join(_ path: String, _ query: String) -> String { query.isEmpty ? path : "\(path)?\(query)" }
}
