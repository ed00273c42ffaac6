extension SettingRule<BaseURL> {
    static var url: Self {
        Self(text: BaseURL.rule, example: "http://litellm:4000", parse: { BaseURL($0) }, show: { $0.text })
    }
}

extension SettingRule<LangfuseHost> {
    static var langfuseHost: Self {
        Self(
            text: "`embedded`, or \(BaseURL.rule)", example: "https://cloud.langfuse.com",
            parse: { $0.lowercased() == "embedded" ? .embedded : BaseURL($0).map(LangfuseHost.url) },
            show: { host in
                switch host {
                case .embedded: "embedded"
                case .url(let url): url.text
                }
            })
    }
}

extension SettingRule<RedisSettings.Address> {
    static var redisAddress: Self {
        Self(
            text: "a host name or address without scheme and port, or `unix:` and the absolute path of a socket",
            example: "redis",
            parse: { RedisSettings.Address($0) }, show: { $0.description })
    }
}

extension SettingRule<LogLevel> {
    static var logLevel: Self {
        Self(
            text:
                "one of \(LogLevel.allCases.map { $0.rawValue.uppercased() }.joined(separator: ", ")), or one of Python's names",
            example: "DEBUG",
            parse: { LogLevel(name: $0) }, show: { $0.rawValue.uppercased() })
    }
}

extension SettingRule<SecretString> {
    /// A password: any text without control characters.
    static var password: Self {
        Self(
            text: "text without control characters", isSecret: true, parse: { $0.isPrintable ? SecretString($0) : nil },
            show: { _ in "***" })
    }

    /// A key that stands in an HTTP header.
    static var headerKey: Self {
        Self(
            text: "visible ASCII characters without spaces", isSecret: true,
            parse: { HeaderText.isToken($0) ? SecretString($0) : nil }, show: { _ in "***" })
    }
}

extension SettingRule<GatewayKey> {
    static var gatewayKey: Self {
        Self(
            text:
                "\(GatewayKey.byteCount) bytes in base64; make one with `openssl rand -base64 \(GatewayKey.byteCount)`",
            isSecret: true,
            parse: { GatewayKey(base64: $0) }, show: { _ in "***" })
    }
}
