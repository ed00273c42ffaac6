/// The part of the gateway that a process runs. It decides which settings must be given, and some defaults.
package enum Role: String, Sendable, CaseIterable {
    /// Everything in one process, with a Redis of its own unless one is named.
    case serve
    /// The HTTP face alone.
    case ingress
    /// The calls to providers alone.
    case forwarder
    /// The questions about rollouts alone.
    case verifier
    /// The embedded trace store alone.
    case tracestore

    /// Whether this process calls providers, and so needs their keys.
    package var callsProviders: Bool { self == .serve || self == .forwarder }

    /// Whether clients call this process, and so the operator's rules are read.
    package var takesRequests: Bool { self == .serve || self == .ingress }

    /// Whether this process writes traces or reads them, and so needs the projects' keys.
    package var handlesTraces: Bool { self != .ingress }
}
