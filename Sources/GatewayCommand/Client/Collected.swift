internal import FoundationEssentials
internal import NIOConcurrencyHelpers

/// The pieces of an answer.
final class Collected: Sendable {
    private let box = NIOLockedValueBox(Data())

    var data: Data { box.withLockedValue { $0 } }

    func append(_ piece: [UInt8]) { box.withLockedValue { $0.append(contentsOf: piece) } }
}
