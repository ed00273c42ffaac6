internal import NIOCore
internal import Redis

extension Error {
    /// What kind of error it is, for a log: the type's name, and of an enumeration the case's. The words of an error that comes with a request, or with a
    /// provider's answer, can hold bytes of these: NIO shows what it could not decode, a library the value that it did not understand.
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
