internal import Common

/// Random numbers that follow from a request's insertion id, of which 62 bits are random: SplitMix64 (Steele, Lea and
/// Flood, 2014). They need no system call, and a request's route can be told again.
struct RequestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ id: InsertionID) { state = id.randomBits }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var number = state
        number = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ number >> 27) &* 0x94D0_49BB_1331_11EB
        return number ^ number >> 31
    }
}
