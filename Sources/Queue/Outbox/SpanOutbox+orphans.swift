internal import Common
package import Redis

/// Spans of projects that no exporter knows any longer, as when an operator has taken their keys away. They count for
/// the bound of the outbox, and no exporter would ever take them off it.
extension SpanOutbox {
    /// The time after which a project that no exporter has named counts as not exported.
    private static let orphanedAfter = Duration.seconds(300)

    /// Says which projects this exporter sends spans of.
    /// - Returns: the projects that no exporter has named for a while.
    package func note(exported projects: [String]) async throws(RedisError) -> [String] {
        let reply = try await commands.evaluate(SpanScripts.noteExported, keys: [Keys.exportedProjects]) { command in
            command.append(Int(Self.orphanedAfter.components.seconds))
            command.append(contentsOf: projects)
        }
        return (reply.array ?? []).compactMap(\.string)
    }

    /// Removes one page of an unexported project's spans: those that waited too long and, to make room, the oldest.
    /// - Parameter bytes: the number of bytes that shall be free afterwards and are not now.
    /// - Returns: bytes and number of the spans that went.
    package func clear(orphan project: String, bytes: Int) async throws(RedisError) -> (bytes: Int, count: Int) {
        let page = try await page(of: project, after: "-")
        guard !page.isEmpty else {
            _ = try await commands.evaluate(
                SpanScripts.forgetProject, keys: [Keys.traces(project: project), Keys.exportedProjects],
                arguments: project)
            return (0, 0)
        }
        let replies = try await commands.send(
            batch: page.map { RedisCommand("EXISTS", $0.id.map(Keys.span) ?? Self.noSpan) })
        let wanted = bytes > 0 ? 1 + page.partialSums(\.size).count { $0 < bytes } : 0
        var gone: [Entry] = []
        for (index, (entry, reply)) in zip(page, replies).enumerated() {
            let isThere = try reply.get().int == 1
            if !isThere || index < wanted { gone.append(entry) }
        }
        return try await shed(gone, of: project)
    }
}
