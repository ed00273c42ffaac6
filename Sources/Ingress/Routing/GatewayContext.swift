public import Common
public import Hummingbird
public import NIOCore

/// The state of one request besides the request itself.
public struct GatewayContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// The client's connection.
    public let channel: any Channel
    /// The request's own id. It is on the answer as `x-insertion-id`, and a completion is recorded under it.
    public internal(set) var insertionID: InsertionID?

    public init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
