internal import ArgumentParser
internal import Common

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads the whole configuration and says what is wrong with it, each with its place.",
        discussion: "Exits with 0 if a process could start with it, with 78 if not. Warnings change nothing of that.")

    @Option(help: "The part whose configuration is read: \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
    var role: Role = .serve

    func run() async throws {
        let launch = try Launch(role: role)
        launch.announce("The configuration of `\(role.rawValue)` is good.")
    }
}

extension Role: ExpressibleByArgument {}
