/// A variable that Kubernetes sets in the pods of a namespace for each of its services, such as
/// `REDIS_PORT=tcp://10.0.0.1:6379` for a service named `redis`. It has the name of a setting by chance.
enum ServiceLink {
    private static let schemes = ["tcp://", "udp://", "sctp://"]

    /// Whether a variable has the form of such a link.
    static func isLink(name: String, value: String) -> Bool {
        name.hasSuffix("_PORT") && schemes.contains { value.hasPrefix($0) }
    }

    /// The note on a link that stands where this process has no use for the setting.
    static func ignored(_ value: String) -> String {
        "`\(value)` is Kubernetes' link to a service; it is ignored, since this command has no use for the setting"
    }

    /// The repair where the process needs the setting; follows a complaint about the value.
    static func repair(_ name: String) -> String {
        let service = name.dropLast("_PORT".count).lowercased()
        return ". Kubernetes sets it so for a service named `\(service)`: set \(name) in the pod, or "
            + "`enableServiceLinks: false`"
    }
}
