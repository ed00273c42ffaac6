internal import NIOCore

/// Stands before the decoder, and notes when a request begins: a head that is not whole shows nowhere else.
final class ReadingHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: Connection

    init(_ connection: Connection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data).readableBytesView
        connection.note { $0.took(bytes, at: .now()) }
        context.fireChannelRead(data)
    }
}
