package import ServiceLifecycle

/// A service that logs know by its type's name. Without it they would show a service with all that it holds.
package protocol NamedService: Service, CustomStringConvertible {}

extension NamedService {
    package var description: String { "\(Self.self)" }
}
