package import Common

/// The pages on which people see what the gateway does. They are made on the server out of the API's own answers.
package struct Dashboard: Sendable {
    private let assets = Assets()
    private let now: @Sendable () -> Timestamp

    package init(now: @escaping @Sendable () -> Timestamp = { .now }) { self.now = now }

    /// A file that pages link to; nil if there is none of that name.
    package func asset(_ name: String, query: String?) -> DashboardResponse? { assets.response(name, query: query) }

    /// A page of a project that the viewer may see.
    /// - Parameters:
    ///   - checks: what the page's event stream found so far, for which it asks more than for the first look; nil: it
    ///     is the first look.
    ///   - source: answers for this project.
    package func page(
        _ page: DashboardRoute.Page, of project: String, for viewer: Viewer, query: String?,
        checks: RolloutChecks? = nil,
        asking source: any DashboardSource
    ) async -> DashboardResponse {
        var frame = Frame(viewer: viewer, project: project, assets: assets)
        do throws(GatewayError) {
            let request = PageRequest(
                project: project, links: Links(project: project), query: try QueryItems(query), source: source,
                formToken: viewer.formToken, checks: checks, now: now())
            let found = try await contents(page, request)
            switch found {
            case .redirect(let location): return .redirect(to: location)
            case .json(let bytes):
                return DashboardResponse(
                    headers: [
                        HeaderField("content-type", "application/json"), HeaderField("cache-control", "no-store"),
                    ], body: bytes)
            case .page(let contents):
                frame.show(contents)
                var response = html(contents.status, Templates.render(frame, with: contents.template))
                response.refresh = contents.refresh
                response.showsMoreLive = contents.showsMoreLive
                return response
            }
        } catch {
            return failure(error, frame, of: page)
        }
    }

    private func contents(_ page: DashboardRoute.Page, _ request: PageRequest) async throws(GatewayError) -> Contents {
        switch page {
        case .overview: try await OverviewPage(request).contents()
        case .requests: try await RequestsPage(request).contents()
        case .request(let id): try await RequestPage(request, id: id).contents()
        case .metrics: try await MetricsPage(request).contents()
        case .audit: try await AuditPage(request).contents()
        case .rules: try await RulesPage(request).contents()
        case .queue: try await QueuePage(request).contents()
        case .rollouts: try await RolloutsPage(request).contents()
        case .rollout(let name): try await RolloutPage(request, name: name).contents()
        case .suggestions:
            .json(try await request.source.get("/logs/metadata", query: FilterForm.query(request.query.items)))
        }
    }

    /// The page in the place of one that could not be made.
    private func failure(_ error: GatewayError, _ frame: Frame, of page: DashboardRoute.Page) -> DashboardResponse {
        var frame = frame
        frame.show(
            PageContents(
                title: "Not shown", section: page.section, template: "failure", view: FailureView(error),
                status: error.status))
        return html(error.status, Templates.render(frame, with: "failure"))
    }

    /// An error where there is no project to show a page of.
    package func failure(_ error: GatewayError, for viewer: Viewer? = nil) -> DashboardResponse {
        var frame = Frame(viewer: viewer ?? Viewer(projects: []), project: nil, assets: assets)
        frame.show(PageContents(title: "Not shown", section: nil, template: "failure", view: FailureView(error)))
        var response = html(error.status, Templates.render(frame, with: "failure"))
        if let seconds = error.retryAfter { response.headers.append(HeaderField("retry-after", String(seconds))) }
        return response
    }

    /// The form that asks for a key.
    /// - Parameters:
    ///   - next: the page that the browser wanted.
    ///   - error: why a key did not open it.
    package func login(next: String?, error: GatewayError? = nil) -> DashboardResponse {
        var frame = Frame(viewer: Viewer(projects: []), project: nil, assets: assets)
        let view = LoginView(next: Self.ownPath(next), loginError: error?.message)
        frame.show(PageContents(title: "Log in", section: nil, template: "login", view: view))
        return html(error?.status ?? 200, Templates.render(frame, with: "login"))
    }

    /// Sends the browser to the same page once more, now from a page of the gateway's own.
    /// - Parameter path: with its query, as it was asked for.
    package func refresh(_ path: String) -> DashboardResponse {
        html(200, Templates.render(RefreshView(refreshPath: Self.ownPath(path)), with: "refresh"))
    }

    /// The page to go to behind the form: one of the dashboard's own. An address of another place is left out.
    package static func ownPath(_ next: String?) -> String {
        guard let next, next.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return DashboardRoute.root }
        let path = String(next[..<(next.utf8.firstIndex(of: UInt8(ascii: "?")) ?? next.endIndex)])
        guard case .page? = DashboardRoute(path) else { return DashboardRoute.root }
        return next
    }

    private func html(_ status: Int, _ body: [UInt8]) -> DashboardResponse {
        DashboardResponse(
            status: status,
            headers: [
                HeaderField("content-type", "text/html; charset=utf-8"), HeaderField("cache-control", "no-store"),
            ],
            body: body)
    }
}
