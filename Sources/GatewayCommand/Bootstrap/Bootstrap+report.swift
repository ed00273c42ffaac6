internal import ArgumentParser
internal import Common
internal import Glibc

extension Bootstrap {
    /// Says something that a person or a script waits for, on standard output, at once.
    func announce(_ text: String) { Self.write(text + "\n", to: STDOUT_FILENO) }

    static func complain(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Says what is wrong and gives the exit code for it.
    static func failure(_ text: String) -> ExitCode {
        complain("error: \(text)")
        return badConfiguration
    }

    /// Says each problem of a bad configuration on a line of its own.
    static func reporting<Value>(_ read: () throws(ConfigurationError) -> Value) throws(ExitCode) -> Value {
        do {
            return try read()
        } catch {
            for problem in error.problems { complain("\(problem)") }
            throw badConfiguration
        }
    }

    /// Unbuffered, since who reads it may wait for this line.
    static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(written, 0))
        }
    }
}
