internal import Common
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

/// Takes the chat completions that can be queued at once. They wait neither for an operator's own code nor for a kept
/// answer, and their answers are for their clients alone. `GatewayResponder` takes the others, also requests that are
/// refused for their host, path or `Via`. The call itself refuses a request for its key, project or body.
struct CompletionController: Sendable {
    let identity: ResponseIdentity
    let mark: LoopMark
    let hosts: AllowedHosts
    let authenticator: Authenticator
    let jobs: JobBuilder
    let calls: JobDispatcher
    let connections: Connections
    var metrics: IngressMetrics?
    let logger: Logger
    let date = HTTPDate()

    /// - Returns: nil if the request is not one of these.
    func call(
        for head: HTTPRequest, on eventLoop: any EventLoop, _ connection: Connection?,
        to handler: CompletionChannelHandler
    ) -> CompletionCall? {
        guard authenticator.isImmediate, let connection, handler.isAllowed(head.authority, by: hosts),
            !mark.isCarried(by: head.headerFields[values: .via])
        else {
            return nil
        }
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        guard let path = try? GatewayPath(request.uri.path), jobs.makesAtOnce(request, path) else { return nil }
        return CompletionCall(
            identity.next(), request: request, path: path, on: eventLoop, connection: connection, controller: self,
            handler: handler)
    }
}
