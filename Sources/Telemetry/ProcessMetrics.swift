internal import Glibc

/// The metrics that Prometheus' own clients give of each process.
package struct ProcessMetrics: Sendable {
    package static let descriptions: [MetricDescription] = [start, memory, cpu]

    private static let start = MetricDescription(
        "process_start_time_seconds", .gauge, help: "When the process began, in seconds since 1970.")
    private static let memory = MetricDescription(
        "process_resident_memory_bytes", .gauge, help: "Bytes of memory that the process has.")
    private static let cpu = MetricDescription(
        "process_cpu_seconds_total", .counter, help: "Seconds of processor time that the process has used.")

    private let began = time(nil)

    package init() {}

    package func write(to exposition: inout Exposition) {
        exposition.write(Self.start, began)
        if let bytes = Self.residentBytes { exposition.write(Self.memory, bytes) }
        exposition.head(of: Self.cpu)
        exposition.sample(Self.cpu.name, labels: "", value: Self.processorSeconds)
    }

    private static var processorSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(microseconds) / 1_000_000
    }

    /// The second number of `/proc/self/statm`, in pages; nil where there is none.
    private static var residentBytes: Int? {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = read(file, &text, text.count)
        guard count > 0 else { return nil }
        let parts = text[..<count].split(separator: UInt8(ascii: " "))
        guard parts.count > 1, let pages = Int(String(decoding: parts[1], as: UTF8.self)) else { return nil }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
