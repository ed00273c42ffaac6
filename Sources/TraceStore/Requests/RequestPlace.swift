internal import Common

/// The place of a row in the order of time: its milliseconds, and 20 bits of its id that order the rows of one
/// millisecond. A row whose place is taken by another one has the next that is free.
enum RequestPlace {
    private static let idBits: UInt64 = 20
    /// Later times have no place. It is the year 2248.
    private static let lastMillisecond: UInt64 = 1 << 43 - 1

    /// The place of an id, or where to look on from.
    static func first(of id: InsertionID) -> Int64 {
        let random = id.randomBits >> 54 & 0xFF
        return Int64(min(id.milliseconds, lastMillisecond) << idBits | id.counter << 8 | random)
    }

    /// The first place of a millisecond.
    static func start(of time: Timestamp) -> Int64 { Int64(min(time.milliseconds, lastMillisecond) << idBits) }

    /// The time at which the row at a place came in.
    static func time(of place: Int64) -> Timestamp { Timestamp(milliseconds: UInt64(max(place, 0)) >> idBits) }

    /// The day of a place, counted since 1970.
    static func day(of place: Int64) -> Int64 { Int64(time(of: place).milliseconds / 86_400_000) }
}
