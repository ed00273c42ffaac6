/// Eight mebibytes of zeros in eight kilobytes: `gzip -9 < /dev/zero`, written down as runs of equal bytes.
enum GzipBomb {
    /// What it becomes.
    static let size = 8 << 20

    static let bytes: [UInt8] = runs.flatMap { [UInt8](repeating: $0.byte, count: $0.count) }

    private static let runs: [(byte: UInt8, count: Int)] = [
        (31, 1), (139, 1), (8, 1), (0, 5), (2, 1), (3, 1), (236, 1), (193, 1), (1, 2), (0, 3), (128, 1), (144, 1),
        (254, 1), (175, 1),
        (238, 1), (8, 1), (10, 1), (0, 4094), (128, 1), (219, 1), (131, 1), (3, 1), (2, 1), (0, 4), (33, 1), (255, 1),
        (95, 1), (55, 1),
        (36, 1), (0, 4033), (156, 1), (5, 1), (69, 1), (188, 1), (210, 1), (26, 1), (0, 2), (128, 1), (0, 1),
    ]
}
