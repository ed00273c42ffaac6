import FoundationEssentials
import Testing

/// What the system says of a process (proc(5)).
struct ProcessFigures {
    let id: Int32

    /// Open files by kind: `socket`, `pipe`, `anon_inode` and files.
    func descriptors() throws -> [String: Int] {
        var kinds: [String: Int] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd") {
            // One that was closed in between is none.
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/fd/\(name)")
            else { continue }
            kinds[target.hasPrefix("/") ? "file" : String(target.prefix { $0 != ":" }), default: 0] += 1
        }
        return kinds
    }

    /// The time for which it has had a processor.
    func processorTime() throws -> Duration {
        let status = try String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
        // Its name, in parentheses, may hold blanks.
        let fields = try #require(status.split(separator: ")").last).split(separator: " ")
        let ticks = try #require(Int(fields[11])) + #require(Int(fields[12]))
        return .milliseconds(ticks * 10)
    }

    /// Resident memory in bytes.
    func resident() throws -> Int { try bytes(of: "VmRSS") }

    /// The most resident memory that there ever was, in bytes.
    func peak() throws -> Int { try bytes(of: "VmHWM") }

    private func bytes(of name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name + ":") })
        return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }) * 1024
    }
}
