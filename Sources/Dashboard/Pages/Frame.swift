internal import Common

/// The frame of every page: navigation, the choice of projects, and the viewer.
struct Frame {
    enum Section: CaseIterable {
        case overview, rollouts, requests, metrics, rules, queue, audit

        var label: String {
            switch self {
            case .overview: "Overview"
            case .rollouts: "Rollouts"
            case .requests: "Requests"
            case .metrics: "Metrics"
            case .rules: "Rules"
            case .queue: "Queue"
            case .audit: "Audit"
            }
        }
    }

    struct NavigationItem {
        var navLabel: String
        var navLink: String
        var isCurrent: Bool
    }

    struct ProjectItem {
        var projectName: String
        var projectLink: String
        var isChosen: Bool
    }

    let frameVersion: String
    let assetVersion: String
    let frameAccount: String?
    let canLogOut: Bool
    let hasProject: Bool
    let hasChoice: Bool
    let currentProject: String
    private(set) var frameTitle = ""
    /// Whether the page is brought up to date while it is open.
    private(set) var isLive = false
    private(set) var navigation: [NavigationItem] = []
    private(set) var projectItems: [ProjectItem] = []
    private(set) var page: Any = ""

    init(viewer: Viewer, project: String?, assets: Assets) {
        frameVersion = GatewayVersion.current
        assetVersion = assets.version
        frameAccount = viewer.account
        canLogOut = viewer.hasSession
        hasProject = project != nil
        hasChoice = viewer.projects.count > 1
        currentProject = project ?? ""
        guard let project else { return }
        projectItems = viewer.projects.map {
            ProjectItem(projectName: $0, projectLink: Links(project: $0).overview(), isChosen: $0 == project)
        }
    }

    mutating func show(_ contents: PageContents) {
        frameTitle = contents.title
        isLive = contents.refresh != nil
        page = contents.view
        guard hasProject else { return }
        let links = Links(project: currentProject)
        navigation = Section.allCases.map { section in
            let link =
                switch section {
                case .overview: links.overview()
                case .rollouts: links.rollouts()
                case .requests: links.requests()
                case .metrics: links.metrics()
                case .rules: links.rules()
                case .queue: links.queue()
                case .audit: links.audit()
                }
            return NavigationItem(navLabel: section.label, navLink: link, isCurrent: section == contents.section)
        }
    }
}

extension DashboardRoute.Page {
    /// The part of the navigation that a page belongs to.
    var section: Frame.Section {
        switch self {
        case .overview: .overview
        case .requests, .request, .suggestions: .requests
        case .metrics: .metrics
        case .rules: .rules
        case .queue: .queue
        case .audit: .audit
        case .rollouts, .rollout: .rollouts
        }
    }
}
