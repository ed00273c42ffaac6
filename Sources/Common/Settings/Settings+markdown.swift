extension Settings {
    /// The table of all variables as docs/configuration.md shows it. A test compares the two.
    package static func markdownTable() -> String {
        let head = ["| Variable | Default | Must be | Meaning | Commands |", "|---|---|---|---|---|"]
        return (head + table.map(row)).joined(separator: "\n")
    }

    private static func row(_ setting: Setting) -> String {
        let commands = setting.commands == Role.allCases ? "all" : setting.commands.map(\.code).joined(separator: ", ")
        let cells = ["`\(setting.name)`", defaultCell(setting), setting.rule, setting.meaning, commands]
        return "| \(cells.joined(separator: " | ")) |"
    }

    private static func defaultCell(_ setting: Setting) -> String {
        if !setting.requiredBy.isEmpty {
            return "required by \(setting.requiredBy.map(\.code).joined(separator: ", "))"
        }
        let serve = setting.show(Settings(role: .serve))
        let separate = setting.show(Settings(role: .ingress))
        if serve.isEmpty && separate.isEmpty { return "–" }
        return serve == separate || setting.commands == [.serve]
            ? "`\(serve)`" : "`\(serve)` in `serve`, else `\(separate)`"
    }
}

extension Role {
    fileprivate var code: String { "`\(rawValue)`" }
}
