/// The handles that wait for calls, the one that was used last in the end. Stays on its loop's thread.
struct CurlHandles {
    /// Handles that are kept, all kinds together.
    private let capacity: Int
    private var idle: [CurlHandle] = []

    init(capacity: Int) { self.capacity = capacity }

    /// A handle that served calls of the kind before, or else a new one.
    mutating func take(
        _ kind: CurlHandle.Kind, orMake make: () throws(UpstreamError) -> CurlHandle
    ) throws(UpstreamError) -> CurlHandle {
        guard let index = idle.lastIndex(where: { $0.kind == kind }) else { return try make() }
        return idle.remove(at: index)
    }

    /// Keeps a handle for later calls, in place of the oldest if there are enough.
    mutating func put(_ handle: CurlHandle) {
        if idle.count >= capacity { idle.removeFirst() }
        idle.append(handle)
    }
}
