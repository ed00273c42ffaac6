internal import NIOCore

/// The events of one turn of libcurl's loop, for the event loops that their calls belong to. Stays on its loop's
/// thread.
struct CurlOutbox {
    private struct Item: Sendable {
        let call: CurlPushedCall
        let event: UpstreamEvent
    }

    /// Event loops are few.
    private var boxes: [(eventLoop: any EventLoop, items: [Item])] = []

    mutating func add(_ event: UpstreamEvent, for call: CurlPushedCall) {
        let item = Item(call: call, event: event)
        if let index = boxes.firstIndex(where: { $0.eventLoop === call.eventLoop }) {
            boxes[index].items.append(item)
        } else {
            boxes.append((call.eventLoop, [item]))
        }
    }

    /// Hands the events over, all of an event loop's at once.
    mutating func flush() {
        guard !boxes.isEmpty else { return }
        for (eventLoop, items) in boxes {
            eventLoop.execute { for item in items { item.call.receive(item.event) } }
        }
        boxes.removeAll(keepingCapacity: true)
    }
}
