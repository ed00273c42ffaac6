internal import FoundationEssentials
package import Subprocess

#if canImport(System)
internal import System
#else
internal import SystemPackage
#endif

/// A program of this build that runs as a process of its own. One task uses it.
package final class GatewayProcess {
    /// The process ended, or said something else, while a line of it was waited for.
    package struct Ended: Error, CustomStringConvertible {
        package let description: String
    }

    /// How a process ended.
    package struct Ending: Sendable {
        package var status: TerminationStatus
        /// All that it wrote to standard output and standard error.
        package var output: String

        /// The exit code; nil if a signal ended it.
        package var code: Int32? { if case .exited(let code) = status { code } else { nil } }
    }

    package let id: Int32
    /// All that was read so far.
    package private(set) var output = ""
    private var lines: AsyncStream<String>.Iterator
    private let send: (Signal) throws -> Void

    fileprivate init(id: Int32, lines: AsyncStream<String>, send: @escaping (Signal) throws -> Void) {
        self.id = id
        self.lines = lines.makeAsyncIterator()
        self.send = send
    }

    package func send(_ signal: Signal) throws { try send(signal) }

    /// Waits for a line that holds `text`.
    @discardableResult
    package func line(with text: String) async throws -> String {
        while let line = await nextLine() {
            if line.contains(text) { return line }
        }
        throw Ended(description: "the process ended without saying “\(text)”; it said:\n\(output)")
    }

    fileprivate func untilEnd() async {
        while await nextLine() != nil {}
    }

    private func nextLine() async -> String? {
        guard let line = await lines.next(isolation: #isolation) else { return nil }
        output += line + "\n"
        return line
    }
}

/// Runs a program of this build in a folder, with nothing in its environment but `environment` and `PATH`.
/// - Parameters:
///   - openFiles: the most files and sockets that the process may open; nil: as many as this one.
///   - endsByItself: whether the process is waited for when `body` returns. If not, it is asked to stop (SIGTERM),
///     unless it has ended.
///   - body: what is done while it runs. If it throws and the process does not stop, the process is killed.
package func withProcess(
    _ program: String, arguments: [String] = [], environment: [String: String] = [:], in folder: String,
    openFiles: Int? = nil, endsByItself: Bool = false,
    body: (GatewayProcess) async throws -> Void
) async throws -> GatewayProcess.Ending {
    var variables = environment
    variables["PATH"] = ProcessInfo.processInfo.environment["PATH"]
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
    var command = [try buildFolder() + "/" + program] + arguments
    if let openFiles { command = ["/bin/sh", "-c", #"ulimit -n \#(openFiles) && exec "$0" "$@""#] + command }
    let result = try await Subprocess.run(
        .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())),
        environment: .custom(
            Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
        workingDirectory: FilePath(folder), platformOptions: options, input: .none, output: .sequence,
        error: .combinedWithOutput
    ) { execution in
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        return try await withThrowingTaskGroup { group in
            // Read without a pause, so that the process never stands still because its pipe is full.
            group.addTask {
                defer { continuation.finish() }
                for try await line in execution.standardOutput.strings() { continuation.yield(line) }
            }
            let process = GatewayProcess(id: execution.processIdentifier.value, lines: lines) {
                try execution.send(signal: $0)
            }
            try await body(process)
            if !endsByItself { try? process.send(.terminate) }
            await process.untilEnd()
            return process.output
        }
    }
    return GatewayProcess.Ending(status: result.terminationStatus, output: result.takeClosureResult())
}

/// Where the test bundle is, and the programs with it.
private func buildFolder() throws -> String {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return String(program[..<(program.lastIndex(of: "/") ?? program.endIndex)])
}

/// Whether a process is there and has not ended. One whose parent was killed may stand on as a zombie
/// (proc_pid_stat(5)).
package func isRunning(process id: Int32) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
        let end = status.lastIndex(of: ")")
    else { return false }
    return !status[end...].hasPrefix(") Z")
}
