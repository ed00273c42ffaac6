internal import Common

/// A provider's rule for the name of the model that stands behind the prefix.
enum ModelRule: String, Sendable, CaseIterable {
    /// The text after the first `/`, as it is.
    case strip
    /// Fireworks' short names (LiteLLM 1.109.1, llms/fireworks_ai/common_utils.py).
    case fireworks
    /// Vertex AI's compatible endpoint, which needs the publisher in front: `google/gemini-…`.
    case google

    /// - Parameter name: The model without the provider's prefix.
    func apply(to name: String) -> String {
        switch self {
        case .strip: name
        case .fireworks: Self.fireworksName(name)
        case .google: name.contains("/") ? name : "google/\(name)"
        }
    }

    private static func fireworksName(_ name: String) -> String {
        if name.hasPrefix("accounts/") || name.hasPrefix("FW-") || name.contains("#") { return name }
        if name.hasPrefix("routers/") || name.hasPrefix("models/") { return "accounts/fireworks/\(name)" }
        let isRouter =
            name.hasSuffix("-fast") || name.hasPrefix("firerouter/")
            || ["firerouter", "auto", "auto-instant"].contains(name)
        return "accounts/fireworks/\(isRouter ? "routers" : "models")/\(name)"
    }
}
