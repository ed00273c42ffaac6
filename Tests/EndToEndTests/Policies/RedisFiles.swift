import Common
import FoundationEssentials
import Redis
import TestSupport

/// The append-only files of a Redis, as one reads them who has the gateway's key.
struct RedisFiles {
    /// Files that hold commands as clients send them, and are rewritten when the test says so.
    static var options: RedisServer.Options {
        var options = RedisServer.Options()
        options.isDurable = true
        options.arguments = ["--aof-use-rdb-preamble", "no", "--auto-aof-rewrite-percentage", "0"]
        return options
    }

    /// All texts of all commands.
    private let texts: [[UInt8]]
    /// What an envelope of ours may be bound to.
    private let places: [Envelope.Context]
    private let keys: [String]
    private let gateway: Envelope
    private let ids: [InsertionID]

    /// - Parameter folder: the server's.
    init(in folder: String, key: GatewayKey) throws {
        var texts: [[UInt8]] = []
        let files = folder + "/appendonlydir"
        for name in try FileManager.default.contentsOfDirectory(atPath: files) {
            texts += Self.texts(of: Array(FileManager.default.contents(atPath: files + "/" + name) ?? Data()))
        }
        let words = Set(texts.filter { $0.count < 200 }).map { String(decoding: $0, as: UTF8.self) }
        ids = words.compactMap { InsertionID($0) }
        keys = words.filter { $0.hasPrefix("gateway/") }
        places =
            ids.flatMap { [.job($0), .frame($0), .span($0)] }
            + keys.map { .value(of: $0) }
        self.texts = texts
        gateway = Envelope(key: key)
    }

    /// Everything that is there as it is, and that the gateway's key opens.
    var opened: [[UInt8]] { texts + open(with: gateway) }

    /// What the keys of their own open that the gateway's key opens.
    var openedInTwoSteps: [[UInt8]] {
        ids.flatMap { id in
            texts.compactMap { try? OwnSeal(unwrapping: $0, of: id, by: gateway) }.flatMap { open(with: $0.envelope) }
        }
    }

    private func open(with envelope: Envelope) -> [[UInt8]] {
        texts.filter { $0.count >= Envelope.overhead }.flatMap { text in
            places.compactMap { try? envelope.open(text, for: $0) }
        }
    }

    /// The texts of a file, each behind a line `$` and its length.
    private static func texts(of file: [UInt8]) -> [[UInt8]] {
        var (texts, place): ([[UInt8]], Int) = ([], 0)
        while place < file.count, let end = file[place...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = file[place..<end].dropLast()
            place = end + 1
            guard line.first == UInt8(ascii: "$"), let count = Int(String(decoding: line.dropFirst(), as: UTF8.self)),
                count >= 0, place + count <= file.count
            else { continue }
            texts.append(Array(file[place..<place + count]))
            place += count + 2
        }
        return texts
    }

    /// Has a server write its files anew.
    static func rewrite(over redis: RedisClient) async throws {
        _ = try await redis.send(RedisCommand("BGREWRITEAOF"))
        try await eventually {
            let info = try await redis.send(RedisCommand("INFO", "persistence")).string ?? ""
            return ["aof_rewrite_in_progress:0", "aof_rewrite_scheduled:0", "aof_last_bgrewrite_status:ok"]
                .allSatisfy { info.contains($0) }
        }
    }
}
