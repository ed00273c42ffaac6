import Common
import Policies
import TestSupport
import Testing

/// What the audit log tells of a change of the rules' files.
@Suite struct PolicyContentsTests {
    private static let before = """
        type: gateway-metadata-config
        mode: audit
        keys: {team: {required: true}}
        rules:
          - {id: everyone, gateway_metadata: {zone: us}}
        ---
        type: gateway-logging-config
        name: quiet
        log: false
        ---
        type: gateway-rate-limiting-config
        rules:
          - {id: a, limit_to: 1, unit: requests_per_day}
          - {id: b, limit_to: 1, unit: requests_per_day}
        """

    private func diff(_ after: String) throws -> String {
        let (old, new) = (try PolicyFixture.read(Self.before), try PolicyFixture.read(after))
        return AuditDetails.taken(from: old.contents, to: new.contents).json
    }

    @Test(arguments: [
        ("mode: audit", "mode: enforce", #""added":[],"removed":[],"changed":["gateway-metadata-config"]"#),
        ("zone: us", "zone: eu", #""added":[],"removed":[],"changed":["gateway-metadata-config/everyone"]"#),
        ("log: false", "log: true", #""added":[],"removed":[],"changed":["gateway-logging-config/quiet"]"#),
        (
            "id: b, limit_to: 1", "id: c, limit_to: 1",
            #""added":["gateway-rate-limiting-config/c"],"removed":["gateway-rate-limiting-config/b"],"changed":[]"#
        ),
        (
            "rules:\n  - {id: a, limit_to: 1", "# a comment\nrules:\n\n  - {limit_to: 1, id: a",
            #""added":[],"removed":[],"changed":[]"#
        ),
    ])
    func `a diff names rules`(old: String, new: String, lists: String) throws {
        let text = Self.before.replacing(old, with: new)
        #expect(text != Self.before)
        let found = try diff(text)
        #expect(found.hasSuffix(lists + "}"), "\(found)")
    }
}
