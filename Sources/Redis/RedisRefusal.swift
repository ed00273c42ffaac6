/// An operator's remedy for a Redis that refuses, by the server's code word.
package enum RedisRefusal {
    private static let advice = [
        "READONLY":
            "it is a read-only replica. REDIS_HOST must lead to the primary; the name is looked up again each second, so after a failover this ends by "
            + "itself once it does",
        "MASTERDOWN":
            "it is a replica that has lost its primary. REDIS_HOST must lead to a primary; the name is looked up again each second",
        "MISCONF":
            "it cannot save its data. Free its disk or make its folder writable; its log and `redis-cli INFO persistence` say why",
        "OOM": "it has used up its maxmemory. Raise `maxmemory`; `redis-cli INFO memory` has the numbers",
        "NOREPLICAS":
            "too few replicas follow it (`min-replicas-to-write`). Repair the replicas, or lower that setting",
        "NOPERM":
            "its user lacks a permission. Give the user of REDIS_USERNAME what the gateway needs: "
            + "`redis-cli ACL SETUSER {user} +@all -@admin -@dangerous +info ~* '&*'`",
        "NOAUTH": "it asks for a password. Set REDIS_PASSWORD, and REDIS_USERNAME if the server has users",
        "WRONGPASS": "it refuses the log-in. Check REDIS_USERNAME and REDIS_PASSWORD",
        "LOADING": "it is loading its data. Wait until it has; nothing else is to be done",
        "CLUSTERDOWN":
            "it is a cluster that has lost a part. The gateway needs one server (with replicas), not a cluster",
        "MOVED": "it is a part of a cluster. The gateway needs one server (with replicas), not a cluster",
        "CROSSSLOT": "it is a part of a cluster. The gateway needs one server (with replicas), not a cluster",
        "BUSY": "a script or function keeps it busy. See `redis-cli INFO` and `SCRIPT KILL`",
    ]

    /// - Returns: the fault and its remedy, without the code.
    package static func advice(for code: String) -> String {
        advice[code] ?? "`redis-cli` shows whether it takes commands; its log may say why"
    }

    /// Whether the code tells of the server's state, and not of one command.
    static func isState(_ code: String) -> Bool { advice[code] != nil }

    /// Whether the server is a replica, so that the primary is to be looked for.
    static func isReplica(_ code: String) -> Bool { code == "READONLY" || code == "MASTERDOWN" }

    /// The code that a reply tells, its first word. Within a script a missing permission has none, and older servers
    /// put the code behind text of their own.
    static func code(of reply: some StringProtocol) -> String {
        let word = String(decoding: reply.utf8.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
        guard word == "ERR" else { return word }
        if reply.hasPrefix("ERR The user executing the script") { return "NOPERM" }
        return advice.keys.first { reply.contains(": -\($0) ") } ?? word
    }
}
