internal import CMalloc

/// The way in which glibc gives memory to the process. Its defaults are for programs whose blocks are alike: here an
/// answer of some hundred kilobytes is allocated on libcurl's thread, freed on an event loop's, and leaves a gap that
/// little else fills.
enum Allocator {
    /// Blocks from this size on are mapped by themselves and given back when they are freed. Without it glibc moves the
    /// threshold up to the largest block that was ever freed, to 32 MiB at most.
    private static let mappedFrom: Int32 = 1 << 20
    /// Free memory at the end of an arena that is given back to the system.
    private static let trimmedFrom: Int32 = 512 << 10
    /// Arenas that threads share; without it there are eight for each core.
    private static let mostArenas: Int32 = 4

    /// Bounds what the process keeps of freed memory, before it has threads. Where glibc refuses an option, its default
    /// stays.
    static func bound() {
        _ = mallopt(M_MMAP_THRESHOLD, mappedFrom)
        _ = mallopt(M_TRIM_THRESHOLD, trimmedFrom)
        _ = mallopt(M_ARENA_MAX, mostArenas)
    }
}
