internal import Glibc
internal import NIOConcurrencyHelpers

/// A port of 127.0.0.1 that stays free for one server, however often that is started, until it is released.
///
/// A socket holds it that never listens. Linux gives such a port to no one who asks for any port, yet lets a server
/// have it that asks for this one with SO_REUSEADDR, as redis-server, nginx and SwiftNIO do.
package final class ReservedPort: Sendable {
    package let number: Int
    private let descriptor: NIOLockedValueBox<Int32?>

    package init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.descriptor = NIOLockedValueBox(descriptor)
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failure = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0 ? 0 : errno
            }
        }
        number = Int(UInt16(bigEndian: address.sin_port))
        guard failure == 0 else {
            throw RedisServer.StartError(description: "no free port: \(String(cString: strerror(failure)))")
        }
    }

    /// Gives the port up. Whoever needs it calls this when the server is gone.
    package func release() {
        descriptor.withLockedValue { descriptor in
            if let open = descriptor.take() { close(open) }
        }
    }

    deinit { release() }
}
