internal import NIOCore
internal import Redis

extension Error {
    /// The error's kind for a log: the names of its type and, in an enumeration, of its case. An error's words can hold
    /// bytes of a request or an answer: NIO shows what it could not decode, a library a value that it does not know.
    package var kind: String {
        if let error = self as? RedisError { return "\(error)" }
        if let error = self as? IOError { return "IOError(errno \(error.errnoCode))" }
        let type = String(reflecting: type(of: self))
        let mirror = Mirror(reflecting: self)
        guard mirror.displayStyle == .enum else { return type }
        // With what belongs to it a case is a child, whose label is the case's name.
        if !mirror.children.isEmpty { return mirror.children.first?.label.map { "\(type).\($0)" } ?? type }
        return self is any CustomStringConvertible ? type : "\(type).\(self)"
    }
}
