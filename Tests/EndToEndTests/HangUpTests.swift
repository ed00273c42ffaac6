import Subprocess
import TestSupport
import Testing

@testable import GatewayCommand

/// The meaning of a SIGHUP. Tests/Clients/test_terminal.py closes a real terminal.
@Suite(.timeLimit(.minutes(5))) struct HangUpTests {
    @Test(arguments: [
        (false, false, true, HangUpWatch.Meaning.reload), (true, true, true, .reload), (true, false, true, .end),
        (false, false, false, .end), (true, true, false, .end), (true, false, false, .end),
    ])
    func `a terminal that is gone tells them`(had: Bool, has: Bool, reloads: Bool, meaning: HangUpWatch.Meaning) {
        #expect(HangUpWatch.meaning(hadTerminal: had, hasTerminal: has, reloads: reloads) == meaning)
    }

    /// A process without rules has nothing to read again: what runs is finished first, as at SIGTERM.
    @Test func `without rules it drains`() async throws {
        try await ProgramFolder.with { folder in
            let ending = try await folder.serve { process, port in
                try await withRawClient(to: port) { client in
                    try await client.send("POST", ServeTests.path, body: ServeTests.body("mock/echo?delay_ms=1000"))
                    try await eventually {
                        try await withRawClient(to: port) {
                            try await $0.call("GET", "/health").text.contains(#""waiting":1,"#)
                        }
                    }
                    try process.send(.terminalClosed)
                    #expect(try await client.answer().status == 200)
                }
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }
}
