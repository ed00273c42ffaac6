internal import Common
internal import HTTPServing
internal import HTTPTypes
internal import Policies

extension CallOptions {
    /// The longest time that a client may give a call, a day in milliseconds.
    private static let longest = 86_400_000

    /// The options for its calls that a request's headers ask for.
    /// - Parameter retries: the most that a client may ask for (`MAX_CLIENT_RETRIES`).
    /// - Throws: 400 for a header that cannot be read.
    init(_ fields: HTTPFields, upTo retries: Int) throws(GatewayError) {
        self.init()
        if let text = try Self.value(of: .retryConfig, in: fields) { retry = try RetryRule.read(text, upTo: retries) }
        timeout = try Self.milliseconds(.requestTimeout, in: fields)
        firstTokenTimeout = try Self.milliseconds(.firstTokenTimeout, in: fields)
    }

    private static func milliseconds(
        _ name: HTTPField.Name, in fields: HTTPFields
    ) throws(GatewayError) -> Int? {
        guard let text = try value(of: name, in: fields) else { return nil }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(text), (1...longest).contains(value)
        else { throw refusal(name, "it must be a whole number of milliseconds from 1 to \(longest)") }
        return value
    }

    private static func value(of name: HTTPField.Name, in fields: HTTPFields) throws(GatewayError) -> String? {
        // Nearly all requests end here, after one look.
        guard fields.contains(name) else { return nil }
        let values = fields[values: name]
        guard values.count <= 1 else { throw refusal(name, "the request has it \(values.count) times; send it once") }
        return values.first
    }

    private static func refusal(_ name: HTTPField.Name, _ fault: String) -> GatewayError {
        .invalidRequest(
            code: "invalid_header", "The header `\(name.canonicalName)` cannot be read: \(fault).",
            param: name.canonicalName)
    }
}

extension HTTPField.Name {
    fileprivate static let retryConfig = HTTPField.Name(constant: RetryRule.header)
    fileprivate static let requestTimeout = HTTPField.Name(constant: "x-tfy-request-timeout")
    fileprivate static let firstTokenTimeout = HTTPField.Name(constant: "x-tfy-ttft-timeout-ms")
}
