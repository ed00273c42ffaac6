internal import Glibc
internal import NIOCore
package import ServiceLifecycle

/// A server that says which settings named its address if it cannot have that address.
package struct ListeningServer: Service, CustomStringConvertible {
    /// The port or the address is not to be had.
    package struct CannotListen: Error, Equatable, CustomStringConvertible {
        /// The variables that name host and port.
        package let settings: Settings
        package let address: String
        package let reason: String

        package var description: String {
            "cannot listen on \(address): \(reason); choose another \(settings.port) or \(settings.host)"
        }
    }

    /// The names of the variables that say where a server listens.
    package struct Settings: Sendable, Equatable {
        package let host: String
        package let port: String

        package init(host: String, port: String) { (self.host, self.port) = (host, port) }
    }

    private let server: any Service
    private let settings: Settings
    private let address: String

    /// - Parameters:
    ///   - server: listens on `host` and `port` while it runs.
    ///   - settings: the variables that gave the two.
    package init(_ server: any Service, host: String, port: Int, settings: Settings) {
        self.server = server
        self.settings = settings
        address = (host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host) + ":\(port)"
    }

    package var description: String { "\(server)" }

    /// - Throws: `CannotListen`, and what else the server throws.
    package func run() async throws {
        do { try await server.run() } catch let error as IOError {
            throw cannotListen(because: String(cString: strerror(error.errnoCode)).lowercased())
        } catch is SocketAddressError.UnknownHost {
            throw cannotListen(because: "no such host")
        }
    }

    private func cannotListen(because reason: String) -> CannotListen {
        CannotListen(settings: settings, address: address, reason: reason)
    }
}
