package import Common

/// Where a project's traces are, and the keys that open them.
package struct LangfuseStore: Sendable, Equatable {
    package var host: BaseURL
    package var keys: LangfuseKeys

    package init(host: BaseURL, keys: LangfuseKeys) {
        self.host = host
        self.keys = keys
    }
}
