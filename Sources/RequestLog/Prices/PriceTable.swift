package import Common

/// The prices of models, read from data. A model that is not in it has no price.
package struct PriceTable: Sendable, Equatable {
    /// US dollars for a million tokens.
    package struct Price: Sendable, Equatable {
        package var input: Double
        /// Of input that the provider had cached.
        package var cached: Double
        package var output: Double

        package init(input: Double, cached: Double? = nil, output: Double = 0) {
            self.input = input
            self.cached = cached ?? input
            self.output = output
        }
    }

    /// The date at which the prices were taken, as the file says it.
    package let date: String
    /// By provider and model.
    private(set) var prices: [UTF8Text: [UTF8Text: Price]]

    /// The table that the gateway carries, with the prices of an operator's file in the place of its own.
    /// - Parameter path: of that file (`PRICES_PATH`).
    package static func load(overriding path: String?) throws(ConfigurationError) -> PriceTable {
        let embedded = try PriceTable(parsing: PackageResources.prices_yaml, file: "prices.yaml")
        guard let path else { return embedded }
        let file = try ConfigurationFile(reading: path)
        let own = try PriceTable(parsing: file.bytes, file: file.path)
        return PriceTable(
            date: own.date, prices: embedded.prices.merging(own.prices) { $0.merging($1) { _, own in own } })
    }

    init(date: String, prices: [UTF8Text: [UTF8Text: Price]]) {
        self.date = date
        self.prices = prices
    }

    /// Reads a table in the form that prices.yaml explains at its head. Every problem is reported with its line and
    /// column.
    package init(parsing bytes: [UInt8], file: String) throws(ConfigurationError) {
        let top = try YAMLDocument(parsing: bytes, file: file).root.mapping(of: ["as_of", "prices"])
        date = try top.required("as_of").string()
        var prices: [UTF8Text: [UTF8Text: Price]] = [:]
        var log = ProblemLog()
        for provider in try top.required("prices").mapping().entries {
            for model in log.attempt({ () throws(ConfigurationError) in try provider.value.mapping().entries }) ?? [] {
                let price = log.attempt { () throws(ConfigurationError) in try Price(model.value) }
                if let price { prices[provider.key, default: [:]][model.key] = price }
            }
        }
        try log.check()
        self.prices = prices
    }

    /// The price of a model: of an entry with its name, or with its name but for the version behind it.
    package func price(provider: String, model: String) -> Price? {
        guard let models = prices[provider] else { return nil }
        return models[model] ?? models[Self.withoutVersion(model)]
    }

    /// The cost of an answer, in US dollars. Nil where the model has no price, or the provider did not say the tokens.
    /// - Parameter model: as the provider names it.
    package func cost(provider: String?, model: String?, tokens: RequestTokens) -> Double? {
        guard let provider, let model, let input = tokens.input, let price = price(provider: provider, model: model)
        else { return nil }
        let cached = min(max(tokens.cached ?? 0, 0), input)
        let millionths =
            Double(input - cached) * price.input + Double(cached) * price.cached
            + Double(tokens.output ?? 0) * price.output
        return millionths / 1_000_000
    }

    /// Cuts `-latest`, or a date: `-2024-08-06`, `-20250929`.
    private static func withoutVersion(_ model: String) -> String {
        let latest = "-latest"
        if model.hasSuffix(latest) { return String(decoding: model.utf8.dropLast(latest.utf8.count), as: UTF8.self) }
        for shape in ["-dddd-dd-dd", "-dddddddd"] {
            let tail = model.utf8.suffix(shape.utf8.count)
            let fits =
                tail.count == shape.utf8.count
                && zip(tail, shape.utf8).allSatisfy { byte, form in
                    form == UInt8(ascii: "d") ? (0x30...0x39).contains(byte) : byte == form
                }
            if fits { return String(decoding: model.utf8.dropLast(shape.utf8.count), as: UTF8.self) }
        }
        return model
    }
}

extension PriceTable.Price {
    fileprivate init(_ node: YAMLNode) throws(ConfigurationError) {
        let map = try node.mapping(of: ["input", "cached", "output"])
        self.init(
            input: try map.required("input").price(), cached: try map["cached"]?.price(),
            output: try map["output"]?.price() ?? 0)
    }
}

extension YAMLNode {
    /// Dollars for a million tokens.
    fileprivate func price() throws(ConfigurationError) -> Double {
        guard let value = Double(try string()), value >= 0, value <= 1_000_000 else {
            throw mismatch("US dollars for a million tokens, from 0 to 1000000")
        }
        return value
    }
}
