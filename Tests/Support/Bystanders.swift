internal import Common

/// Clients that ask small things all the time, each over a connection of its own, and note how long they wait for an
/// answer while something happens.
package enum Bystanders {
    /// One thing that is asked.
    package struct Asking: Sendable {
        package var name: String
        package var method: String
        package var target: String
        package var headers: [String]
        package var body: String

        package init(_ name: String, _ method: String, target: String, headers: [String] = [], body: String = "") {
            (self.name, self.method, self.target, self.headers, self.body) = (name, method, target, headers, body)
        }
    }

    /// Does something, and says how long the longest answer to anybody else took meanwhile.
    package static func wait(
        for asked: [Asking], at port: Int, while body: @escaping @Sendable () async throws -> Void
    ) async throws -> Duration {
        let over = Counter()
        return try await withThrowingTaskGroup(of: Duration.self) { group in
            let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
            for asking in asked {
                group.addTask {
                    try await withRawClient(to: port) { client in
                        var longest = Duration.zero
                        var count = 0
                        while over.value == 0 {
                            let time = try await ContinuousClock().measure {
                                try await ask(asking, over: client)
                            }
                            // The first opens the connection.
                            if count > 0 { longest = max(longest, time) }
                            count += 1
                            if count == 2 { isReady.yield() }
                        }
                        return longest
                    }
                }
            }
            var waiting = asked.count
            for await _ in ready {
                waiting -= 1
                if waiting == 0 { break }
            }
            try await body()
            // Who waits for an answer just now waits to its end, which counts.
            over.add()
            return try await group.reduce(.zero) { max($0, $1) }
        }
    }

    /// Asks until there is an answer. On a busy machine a gateway whose loop stood still takes its Redis for gone for a
    /// moment, and has its clients ask again: they wait that long.
    private static func ask(_ asking: Asking, over client: RawClient) async throws {
        while true {
            let answer = try await client.call(
                asking.method, asking.target, headers: asking.headers, body: asking.body)
            if answer.status < 400 { return }
            guard answer.error?.code == "queue_unavailable" else {
                throw Refused(asking: asking.name, answer: answer.text)
            }
        }
    }

    package struct Refused: Error, CustomStringConvertible {
        let asking: String
        let answer: String
        package var description: String { "\(asking) was refused: \(answer)" }
    }
}
