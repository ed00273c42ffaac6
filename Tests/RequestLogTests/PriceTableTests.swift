import Common
import TestSupport
import Testing

@testable import RequestLog

/// Costs are what the table says, and a model without a price has none.
struct PriceTableTests {
    private static func tokens(_ input: Int?, _ output: Int?, cached: Int? = nil) -> RequestTokens {
        var tokens = RequestTokens()
        tokens.input = input
        tokens.output = output
        tokens.cached = cached
        return tokens
    }

    private static func table(_ text: String) throws -> PriceTable {
        try PriceTable(parsing: Array("as_of: \"2026-01-01\"\nprices:\n\(text)".utf8), file: "prices.yaml")
    }

    @Test func `the embedded table is right`() throws {
        let table = try PriceTable.load(overriding: nil)
        #expect(table.date == "2026-11-29")
        #expect(table.price(provider: "openai", model: "gpt-4o") == .init(input: 2.5, cached: 1.25, output: 10))
        for models in table.prices.values {
            for price in models.values { #expect(price.input > 0 && price.cached <= price.input) }
        }
    }

    @Test(
        arguments: [
            ("gpt-4o", 2.5), ("gpt-4o-2024-08-06", 2.5), ("gpt-4o-latest", 2.5), ("gpt-4o-2024-05-13", 5),
            ("gpt-4o-mini", 0.15),
            ("gpt-4o-mini-2024-07-18", 0.15), ("gpt-4o-audio-preview", nil), ("gpt-4o-2024", nil), ("GPT-4o", nil),
            ("", nil),
        ] as [(String, Double?)])
    func `a version has the price of its model`(model: String, input: Double?) throws {
        #expect(try PriceTable.load(overriding: nil).price(provider: "openai", model: model)?.input == input)
    }

    @Test func `cached tokens are priced apart`() throws {
        let table = try Self.table("  a:\n    m: {input: 4, cached: 1, output: 8}\n    e: {input: 2}\n")
        func cost(_ model: String?, _ tokens: RequestTokens, provider: String? = "a") -> Double? {
            table.cost(provider: provider, model: model, tokens: tokens)
        }
        #expect(cost("m", Self.tokens(1_000_000, 500_000)) == 8)
        #expect(cost("m", Self.tokens(1_000_000, 0, cached: 500_000)) == 2.5)
        // More than there are cannot be cached.
        #expect(cost("m", Self.tokens(1_000_000, 0, cached: 2_000_000)) == 1)
        #expect(cost("e", Self.tokens(500_000, nil)) == 1)
        #expect(cost("e", Self.tokens(500_000, nil, cached: 250_000)) == 1)
        #expect(cost("m-20250101", Self.tokens(250_000, nil)) == 1)
        #expect(cost("m", Self.tokens(nil, 5)) == nil)
        #expect(cost("other", Self.tokens(1, 1)) == nil)
        #expect(cost("m", Self.tokens(1, 1), provider: "b") == nil)
        #expect(cost(nil, Self.tokens(1, 1)) == nil && cost("m", Self.tokens(1, 1), provider: nil) == nil)
    }

    @Test(arguments: [
        ("  a:\n    m: {input: -1}\n", 4, "US dollars"), ("  a:\n    m: {input: x}\n", 4, "US dollars"),
        ("  a:\n    m: {output: 1}\n", 4, "needs `input`"),
        ("  a:\n    m: {input: 1, otput: 1}\n", 4, "Did you mean `output`?"),
        ("  a: 5\n", 3, "a mapping"),
    ])
    func `a fault is said with its place`(text: String, line: Int, repair: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try Self.table(text) }
        #expect(error.description.contains("prices.yaml:\(line):") && error.description.contains(repair), "\(error)")
    }

    @Test func `an operator's file goes before the table`() throws {
        let own = try Self.table("  openai:\n    gpt-4o: {input: 1}\n  mine:\n    m: {input: 3}\n")
        try ownFile("as_of: \"2026-01-01\"\nprices:\n  openai:\n    gpt-4o: {input: 1}\n  mine:\n    m: {input: 3}\n") {
            path in
            let table = try PriceTable.load(overriding: path)
            #expect(table.date == own.date)
            #expect(table.price(provider: "openai", model: "gpt-4o") == .init(input: 1))
            #expect(table.price(provider: "mine", model: "m") == .init(input: 3))
            #expect(table.price(provider: "openai", model: "gpt-4o-mini")?.input == 0.15)
        }
        #expect(throws: ConfigurationError.self) { try PriceTable.load(overriding: "/nowhere/prices.yaml") }
    }
}
