/// Whether requests and answers stand in traces where no rule of the operator's denies it (TrueFoundry's names).
package enum RequestLoggingMode: String, Sendable, CaseIterable {
    /// They do, unless the request's headers say no.
    case headerControlled = "HEADER_CONTROLLED"
    /// They do. The headers change nothing.
    case always = "ALWAYS"
    case never = "NEVER"
}

extension SettingRule<RequestLoggingMode> {
    static var requestLoggingMode: Self {
        let names = RequestLoggingMode.allCases.map(\.rawValue)
        return Self(
            text: "one of \(names.joined(separator: ", "))", example: names.last ?? "",
            parse: { text in RequestLoggingMode.allCases.first { $0.rawValue.lowercased() == text.lowercased() } },
            show: { $0.rawValue })
    }
}
