/// A tenant: rollouts are recorded and traced within one.
package struct Project: Sendable, Equatable {
    /// 1–128 characters, no `/`, no control characters.
    package var name: String
    /// Nil when traces stay inside the gateway.
    package var langfuse: LangfuseKeys?

    package init(name: String, langfuse: LangfuseKeys? = nil) {
        self.name = name
        self.langfuse = langfuse
    }
}
