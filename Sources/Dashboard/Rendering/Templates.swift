internal import Mustache
internal import Text

/// The pages' templates, as they are compiled into the executable.
struct Templates: Sendable {
    /// Read when the first page is asked for. What is wrong with one is a test's to find.
    static let compiled = Result { try Templates() }

    private let library: MustacheLibrary

    /// - Throws: what is wrong with a template.
    init() throws {
        MustacheContentTypes.register(HTMLText(), named: HTMLText.name)
        var library = MustacheLibrary()
        for (name, bytes) in Self.files {
            // Without it a template, and each that it includes, would escape as the library does.
            let text = "{{% CONTENT_TYPE:\(HTMLText.name)}}\n" + String(decoding: bytes, as: UTF8.self)
            try library.register(text, named: name)
        }
        self.library = library
    }

    static let files: [(name: String, bytes: [UInt8])] = [
        ("audit", PackageResources.audit_mustache), ("chart", PackageResources.chart_mustache),
        ("failure", PackageResources.failure_mustache),
        ("filters", PackageResources.filters_mustache), ("layout", PackageResources.layout_mustache),
        ("login", PackageResources.login_mustache), ("metrics", PackageResources.metrics_mustache),
        ("overview", PackageResources.overview_mustache), ("progress", PackageResources.progress_mustache),
        ("queue", PackageResources.queue_mustache), ("refresh", PackageResources.refresh_mustache),
        ("request", PackageResources.request_mustache),
        ("requests", PackageResources.requests_mustache),
        ("requestrows", PackageResources.requestrows_mustache), ("rollout", PackageResources.rollout_mustache),
        ("rollouts", PackageResources.rollouts_mustache), ("rules", PackageResources.rules_mustache),
    ]

    /// The page's HTML.
    static func render(_ view: Any, with template: String) -> [UInt8] {
        let text = (try? compiled.get())?.library.render(view, withTemplate: template)
        return Array((text ?? "").utf8)
    }
}
