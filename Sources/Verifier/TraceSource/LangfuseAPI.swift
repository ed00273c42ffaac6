internal import Common
internal import NIOConcurrencyHelpers

/// The one of Langfuse's read APIs that a server speaks.
package enum LangfuseAPI: Sendable, Equatable {
    /// `/api/public/traces`: servers up to version 3.
    case v1
    /// `/api/public/v2/observations`: servers from version 4 on. Langfuse Cloud has no other since 2026-11-16.
    case v2

    /// The API to try first with a server of this version, such as `4.16.0`.
    init(version: String) {
        let major = version.drop { $0 == "v" }.prefix { $0.isNumber }
        self = (Int(major) ?? 4) >= 4 ? .v2 : .v1
    }

    var other: LangfuseAPI { self == .v1 ? .v2 : .v1 }

    /// The rate limit that its calls count against.
    var bucket: String { self == .v1 ? "legacy" : "public" }

    /// The most rows of a page (langfuse's own bounds: beyond them it answers 400).
    var mostRows: Int { self == .v1 ? 100 : 1000 }
}

/// The API that each host was found to speak, as long as the process lives.
package final class LangfuseAPIs: Sendable {
    private let known = NIOLockedValueBox<[UTF8Text: LangfuseAPI]>([:])

    package init() {}

    func api(of host: BaseURL) -> LangfuseAPI? { known.withLockedValue { $0[host.text] } }

    func remember(_ api: LangfuseAPI, of host: BaseURL) { known.withLockedValue { $0[host.text] = api } }
}
