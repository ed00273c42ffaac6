extension RedisVersion {
    /// A hole in a server that is reached by commands that the gateway needs, so that no ACL can close it.
    private struct Hole {
        var what: String
        /// Versions with the hole: from the first on and below the second, which is mended.
        var versions: [Product: [(from: [Int], below: [Int])]]
        var advice = ""
    }

    private static let holes = [
        // GHSA-4789-qfc9-5f9q and GHSA-9rfg-jx7v-52p6 have the versions. Redis 7.0 was never mended by its makers.
        Hole(
            what: "its Lua engine (CVE-2025-49844)",
            versions: [
                .redis: [([0], [7, 2, 11]), ([7, 4], [7, 4, 6]), ([8, 0], [8, 0, 4]), ([8, 2], [8, 2, 2])],
                .valkey: [([0], [7, 2, 11]), ([8, 0], [8, 0, 6]), ([8, 1], [8, 1, 4])],
            ]),
        Hole(
            what: "how it wakes blocked clients (CVE-2026-23479)", versions: [.redis: [([7, 2], [8, 6, 3])]],
            advice: "; leave `maxmemory-clients` at 0"),
    ]

    /// The warnings for an operator of this version; none if no hole of it is known.
    package var warnings: [String] {
        Self.holes.compactMap { hole in
            guard let range = hole.versions[product]?.first(where: { !isBefore($0.from) && isBefore($0.below) }) else {
                return nil
            }
            let mended = range.below.map(String.init).joined(separator: ".")
            return
                "\(self) has a known hole in \(hole.what): upgrade to \(mended) or later\(hole.advice). A distribution may have mended it under "
                + "the old number, as Debian 12 has in its 5:7.0.15-1~deb12u6"
        }
    }

    private func isBefore(_ other: [Int]) -> Bool { numbers.lexicographicallyPrecedes(other) }
}
