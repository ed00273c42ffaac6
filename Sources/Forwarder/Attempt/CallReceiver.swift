internal import Common
internal import NIOCore
internal import Queue
internal import Upstream

/// Receives the events of one attempt's transfer, for its call.
final class CallReceiver: UpstreamReceiver {
    private let call: NIOLoopBound<Call>
    private let number: Int
    private let isStream: Bool
    private let window: Int

    /// - Parameter number: the attempt's.
    init(of call: Call, number: Int, of job: Job, on eventLoop: any EventLoop) {
        self.call = NIOLoopBound(call, eventLoop: eventLoop)
        self.number = number
        isStream = job.isStream
        window = job.window
    }

    func minimum(for head: UpstreamHead) -> Int {
        ResponseFramer.minimum(for: head, isStream: isStream, window: window)
    }

    func receive(_ event: UpstreamEvent) { call.value.receive(event, from: number) }
}
