internal import NIOCore
internal import Queue
internal import Upstream

/// What the transfer of one attempt hears, for its call.
final class CallReceiver: UpstreamReceiver {
    private let call: NIOLoopBound<Call>
    private let number: Int
    private let isStream: Bool
    private let window: Int

    /// - Parameter number: the attempt's.
    init(of call: Call, number: Int, isStream: Bool, window: Int, on eventLoop: any EventLoop) {
        self.call = NIOLoopBound(call, eventLoop: eventLoop)
        self.number = number
        self.isStream = isStream
        self.window = window
    }

    func minimum(for head: UpstreamHead) -> Int { Relay.minimum(for: head, isStream: isStream, window: window) }

    func receive(_ event: UpstreamEvent) { call.value.receive(event, from: number) }
}
