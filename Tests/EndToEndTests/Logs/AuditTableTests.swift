import JSON
import Testing

@testable import GatewayCommand

/// What `metadata-gateway logs --audit` shows of an audit row.
@Suite struct AuditTableTests {
    private static func page(_ rows: String...) -> [UInt8] {
        Array(#"{"data":[\#(rows.joined(separator: ","))],"next_cursor":null}"#.utf8)
    }

    private static let reload =
        #"{"id":"a","time":"2026-11-29T20:00:00.000Z","kind":"rules.reloaded","actor":"serve host:7","project_id":null,"#
        + #""account":null,"user":null,"subject":"gateway.yaml","details":{"added":["x"]}}"#
    private static let use =
        #"{"id":"b","time":"2026-11-29T20:00:01.000Z","kind":"key.used","actor":"serve host:7","project_id":"p","#
        + #""account":"t \u001b[2J","user":"u","subject":"key\u202e","details":{"count":1}}"#

    @Test func `a row is a line`() throws {
        let rows = try #require(LogPage<AuditRow>(Self.page(Self.use, Self.reload))).rows
        var table = AuditTable()
        let lines = [table.head(above: rows), table.line(rows[1]), table.line(rows[0])]
        #expect(
            lines == [
                "TIME                      KIND            SUBJECT       ACTOR",
                #"2026-11-29T20:00:00.000Z  rules.reloaded  gateway.yaml  serve host:7 {"added":["x"]}"#,
                #"2026-11-29T20:00:01.000Z  key.used        key\u{202E}   serve host:7 project=p account="t \u{1B}[2J" user=u {"count":1}"#,
            ])
        #expect(rows.map(\.json) == [Self.use, Self.reload] && rows.map(\.id) == ["b", "a"])
    }

    @Test(arguments: [#"{"id":"a"}"#, #"{"id":"a","time":"t","kind":"k","actor":"x","details":[]}"#])
    func `what is no row is none`(row: String) {
        #expect(LogPage<AuditRow>(Self.page(row)) == nil)
    }
}
