/// The waits between attempts to connect: 20 ms doubling to 1 s, each drawn from its upper half so that many clients do
/// not come at once.
struct RedisBackoff {
    private static let first = Duration.milliseconds(20)
    private static let last = Duration.seconds(1)

    private var ceiling = first

    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        defer { ceiling = min(ceiling * 2, Self.last) }
        return ceiling * Double.random(in: 0.5...1, using: &generator)
    }

    mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }
}
