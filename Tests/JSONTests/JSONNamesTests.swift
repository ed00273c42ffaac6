import Testing

@testable import JSON

struct JSONNamesTests {
    /// - Returns: which of these names were new.
    private static func new(_ texts: [String]) -> [String] {
        var names = JSONNames()
        return texts.filter { names.insert($0) }
    }

    /// Few names are compared one by one, and more are hashed: at each number the same is told.
    @Test func `a name is new once`() {
        let all = (0..<40).map { "name \($0)" }
        for count in 1...all.count {
            let known = Array(all[..<count])
            #expect(Self.new(known + known.reversed()) == known)
        }
    }

    /// Two that look alike are two names.
    @Test(arguments: [0, 40]) func `names are their bytes`(others: Int) {
        let others = (0..<others).map { "name \($0)" }
        let new = Self.new(others + ["\u{E9}", "e\u{301}", "\u{E9}", "e\u{301}"])
        #expect(new.count == others.count + 2 && new.last?.utf8.count == 3)
    }
}
