import Common
import Testing

@testable import GatewayCommand

/// How few file descriptors are divided.
@Suite struct DescriptorBudgetTests {
    private static func granted(_ settings: Settings, _ limit: Int) throws -> [Int] {
        try DescriptorBudget(settings, limit: limit, loops: 2).shares.map(\.granted)
    }

    @Test(arguments: Role.allCases) func `nothing is lowered where there is room`(role: Role) throws {
        var settings = Settings(role: role)
        settings.metrics.port = 9400
        let budget = try DescriptorBudget(settings, limit: 1 << 20, loops: 64)
        #expect(budget.warning == nil && budget.applied(to: settings) == settings)
    }

    /// No setting gets less than works, nor more than it asks for, and all together fit.
    @Test(arguments: Role.allCases) func `the shares fit into each limit`(role: Role) throws {
        var settings = Settings(role: role)
        settings.metrics.port = 9400
        var least: Int?
        for limit in 1...4096 {
            do {
                let budget = try DescriptorBudget(settings, limit: limit, loops: 2)
                least = least ?? limit
                let used = budget.reserve + budget.shares.reduce(0) { $0 + $1.descriptors }
                #expect(used <= limit)
                #expect(budget.shares.allSatisfy { $0.granted >= $0.least && $0.granted <= $0.wanted })
                if budget.warning != nil {
                    #expect(limit - used <= budget.shares.count * 2, "\(limit): nothing is idle")
                }
            } catch {
                #expect(least == nil, "\(limit) is too small, and less was not")
                #expect("\(error)".contains("may open \(limit) files") && "\(error)".contains("ulimit -n"))
                #expect(error.least > limit)
                #expect(throws: Never.self) { try DescriptorBudget(settings, limit: error.least, loops: 2) }
            }
        }
        #expect(least.map { $0 < 128 } ?? false)
    }

    @Test func `what asks for little gets it`() throws {
        var settings = Settings(role: .serve)
        settings.traces.verifierConcurrency = 3
        settings.traceStore.maxConnections = 5
        // Of 77 for the rest there are 923: 8 for those two, and half of what is left for each of the others.
        #expect(try Self.granted(settings, 1000) == [459, 228, 3, 5])
    }

    @Test func `the warning names both numbers and the remedy`() throws {
        let budget = try DescriptorBudget(Settings(role: .ingress), limit: 1024, loops: 2)
        let warning = try #require(budget.warning)
        #expect(warning.contains("1024 files") && warning.contains("MAX_CONNECTIONS is 994 instead of 20000"))
        #expect(warning.contains("ulimit -n") && warning.contains("LimitNOFILE"))
        #expect(budget.applied(to: Settings(role: .ingress)).http.maxConnections == 994)
    }
}
