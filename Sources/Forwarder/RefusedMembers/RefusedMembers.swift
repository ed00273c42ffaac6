internal import Common
internal import NIOConcurrencyHelpers
internal import Upstream

/// The members added by the gateway that providers have refused, by account, place and model.
final class RefusedMembers: Sendable {
    private struct Place: Hashable {
        let provider: UTF8Text
        let url: UTF8Text
        let model: UTF8Text

        init(_ target: Target) {
            provider = UTF8Text(target.provider)
            url = UTF8Text(String(target.request.url.utf8.prefix { $0 != UInt8(ascii: "?") }) ?? "")
            model = UTF8Text(target.model ?? "")
        }
    }

    private struct Entry {
        var members: [String]
        var until: ContinuousClock.Instant
    }

    /// The most places that are remembered (`REFUSED_MEMBER_LIMIT`).
    private let limit: Int
    /// The time for which a place is remembered (`REFUSED_MEMBER_TTL`). Then the member is tried anew.
    private let life: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let entries = NIOLockedValueBox<[Place: Entry]>([:])

    init(
        limit: Int = 1000, life: Duration = .seconds(3600),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        (self.limit, self.life, self.now) = (limit, life, now)
    }

    var count: Int { entries.withLockedValue { $0.count } }

    /// A target without the members that are known to be refused there.
    func accepted(_ target: Target) -> Target {
        guard !target.addedMembers.isEmpty else { return target }
        let place = Place(target)
        let known = entries.withLockedValue { entries -> [String] in
            guard let entry = entries[place] else { return [] }
            if entry.until > now() { return entry.members }
            entries[place] = nil
            return []
        }
        return target.without(known)
    }

    /// Notes that a target refuses members and takes the request without them.
    func note(_ members: [String], of target: Target) {
        guard life > .zero else { return }
        let (place, now) = (Place(target), now())
        entries.withLockedValue { entries in
            if entries[place] == nil, entries.count >= limit { Self.makeRoom(in: &entries, now) }
            let known = entries[place]?.members ?? []
            entries[place] = Entry(members: known + members.filter { !known.contains($0) }, until: now + life)
        }
    }

    private static func makeRoom(in entries: inout [Place: Entry], _ now: ContinuousClock.Instant) {
        let count = entries.count
        entries = entries.filter { $0.value.until > now }
        guard entries.count == count, let oldest = entries.min(by: { $0.value.until < $1.value.until }) else { return }
        entries[oldest.key] = nil
    }
}

extension RefusedMembers {
    convenience init(_ settings: Settings) {
        self.init(limit: settings.calls.refusedMemberLimit, life: settings.calls.refusedMemberTTL)
    }
}
