import Testing

@testable import Common
@testable import Redis

@Suite struct RedisRefusalTests {
    @Test(arguments: [
        ("READONLY You can't write against a read only replica.", "READONLY"),
        ("READONLY You can't write against a read only replica. script: 315e, on @user_script:1.", "READONLY"),
        (
            "ERR Error running script (call to f_315e): @user_script:1: @user_script: 1: -READONLY You can't write",
            "READONLY"
        ),
        ("MISCONF Redis is configured to save RDB snapshots", "MISCONF"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "OOM"),
        ("NOPERM this user has no permissions to run the 'set' command", "NOPERM"),
        (
            "ERR The user executing the script can't run this command or subcommand script: 315e, on @user_script:1.",
            "NOPERM"
        ),
        (
            "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
            "NOPERM"
        ),
        ("LOADING Redis is loading the dataset in memory", "LOADING"), ("NOAUTH Authentication required.", "NOAUTH"),
        ("ERR unknown command 'X'", "ERR"), ("ERR value is not an integer, OOM or not", "ERR"), ("", ""),
    ])
    func `a reply tells its code`(reply: String, code: String) {
        #expect(RedisError(reply: reply).serverCode == code && RedisError(reply: reply).refusal == code)
    }

    @Test(arguments: [
        "READONLY", "MISCONF", "OOM", "NOREPLICAS", "NOPERM", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH",
        "WRONGPASS", "BUSY",
    ])
    func `each has its advice`(code: String) {
        #expect(RedisRefusal.isState(code) && RedisRefusal.advice(for: code) != RedisRefusal.advice(for: "ERR"))
        #expect(RedisTrouble.refuses(code: code).text.hasPrefix("Redis refuses (\(code)): "))
    }

    /// Why there is no connection is told with the commands that find none.
    @Test func `an absence keeps its code`() {
        let absence = RedisError(.unavailable, "why", refusal: "LOADING")
        #expect(absence.refusal == "LOADING" && absence.serverCode == nil && !absence.mayHaveBeenExecuted)
        #expect(RedisError(.unavailable, "why").refusal == nil)
    }
}
