import TestSupport
import Testing

@testable import Common

@Suite struct GatewayPathFuzzTests {
    private static let segments = [
        "v1", "project_id", "rollout_id", "invocation_id", "experiment_id", "run_id", "row_id", "encoded_base_url",
        "chat", "completions", "models",
        "health", "", ".", "..", "%2e", "%2F", "%5c", "%", "%zz", "%00", "%C3%A9", "%FF", "%E2%80%A8", "aHR0cDovL2E",
        "aHR0cDovL2E=", "aHR0c", "é",
        "a b", "%252F", "models", "a%2Fb", "a%2f..", "%2Fa", "a%2F%2e", "\u{0}", "?", "#", "\\", "%C2%85",
    ]
    private static let bytes = Array("/%.v1aA20FfCc_-=+~\\?# ".utf8) + [0x00, 0x0A, 0x7F]

    @Test(arguments: try FuzzFixture.seeds()) func `agrees with the reference`(seed: UInt64) async {
        var random = SeededRandom(seed: seed)
        for iteration in 0..<FuzzFixture.iterations {
            await FuzzFixture.letOthersRun()
            let path = Self.path(&random)
            guard let difference = difference(path) else { continue }
            Issue.record("seed \(seed), iteration \(iteration): \(difference) in \(FuzzFixture.line(path.utf8))")
        }
    }

    @Test func `makes both kinds of path`() {
        var random = SeededRandom(seed: 1)
        let accepted = (0..<1000).count { _ in (try? GatewayPath(Self.path(&random))) != nil }
        #expect((100...900).contains(accepted))
    }

    @Test(arguments: try FuzzFixture.inputs("paths.txt")) func `judges kept inputs`(verdict: String, input: [UInt8]) {
        let path = String(decoding: input, as: UTF8.self)
        let route = try? GatewayPath(path).route
        let found =
            switch route {
            case .rollout: "rollout"
            case .completion: "completion"
            case .other: "other"
            case nil: "refuse"
            }
        #expect(found == verdict, "\(path)")
        #expect(difference(path) == nil)
    }

    /// Where parser and reference disagree, or nil.
    private func difference(_ path: String) -> String? {
        let expected = ReferencePath.parse(path)
        do throws(GatewayError) {
            let found = try GatewayPath(path)
            guard let expected else { return "the parser alone accepts" }
            return found.project == expected.project && found.route == expected.route ? nil : "another result"
        } catch {
            guard error.status == 400, error.code == "invalid_path" else { return "another error" }
            return expected == nil ? nil : "the parser alone refuses (\(error.message))"
        }
    }

    /// A sound path of one of the forms, and mostly a few faults in it.
    private static func path(_ random: inout SeededRandom) -> String {
        var parts: [String] = []
        if random.chance(oneIn: 2) { parts.append("v1") }
        if random.chance(oneIn: 2) { parts += ["project_id", id(&random)] }
        if random.chance(oneIn: 4) { parts.append("v1") }
        if !random.chance(oneIn: 3) {
            for label in ["rollout_id", "invocation_id", "experiment_id", "run_id", "row_id"] {
                parts += [label, id(&random)]
            }
            if random.chance(oneIn: 2) { parts += ["encoded_base_url", base64(&random)] }
            if random.chance(oneIn: 4) { parts.append("v1") }
        }
        parts += random.chance(oneIn: 3) ? [random.pick(segments)] : ["chat", "completions"]
        for _ in 0..<random.below(3) {
            let place = random.below(parts.count)
            switch random.below(4) {
            case 0: parts.insert(random.pick(segments), at: place)
            case 1 where parts.count > 1: parts.remove(at: place)
            case 2: parts.swapAt(place, random.below(parts.count))
            default: parts[place] = random.pick(segments)
            }
        }
        var path = Array(("/" + parts.joined(separator: "/") + (random.chance(oneIn: 6) ? "/" : "")).utf8)
        if random.chance(oneIn: 3) { path.insert(random.pick(bytes), at: random.below(path.count + 1)) }
        if random.chance(oneIn: 6) { path.remove(at: random.below(path.count)) }
        return String(decoding: path, as: UTF8.self)
    }

    private static func id(_ random: inout SeededRandom) -> String {
        let pieces = ["a", "Z9", "-", "%20", "%C3%A9", "%F0%9F%98%80", "%25", "+", ":", "v1"]
        guard !random.chance(oneIn: 12) else {
            return String(repeating: random.pick(pieces), count: 64 + random.below(66))
        }
        return (0...random.below(3)).map { _ in random.pick(pieces) }.joined()
    }

    private static func base64(_ random: inout SeededRandom) -> String {
        let alphabet = Array("ABab09+-_").map(String.init) + ["%2F", "%3D", "aHR0", "cDov", "L2E"]
        return (0...random.below(8)).map { _ in random.pick(alphabet) }.joined() + random.pick(["", "", "=", "=="])
    }
}
