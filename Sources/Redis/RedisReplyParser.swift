internal import CHiredis

/// hiredis's reader, which builds Swift values at once instead of a tree of `redisReply`.
///
/// hiredis reports values depth first and in order. So the arrays that are still open form a stack, and no value needs
/// a node of its own. It nests arrays 8 deep at most; a deeper reply is a protocol error. Confined to the event loop of
/// its handler.
final class RedisReplyParser {
    private struct OpenArray {
        var elements: [RedisValue] = []
        let count: Int
    }

    /// hiredis gives its empty buffer back above this size. Its default of 16 KiB would free and regrow it for every
    /// larger reply.
    private static let retainedBytes = 1 << 20

    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let maximumReplyBytes: Int
    private var openArrays: [OpenArray] = []
    private var finished: RedisValue?
    private var bytesSinceReply = 0

    init(maximumReplyBytes: Int) {
        functions = .allocate(capacity: 1)
        functions.initialize(to: .swiftValues)
        guard let reader = redisReaderCreateWithFunctions(functions) else {
            preconditionFailure("out of memory")  // as Swift's own allocations end
        }
        self.reader = reader
        self.maximumReplyBytes = maximumReplyBytes
        reader.pointee.maxbuf = Self.retainedBytes
        reader.pointee.privdata = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        redisReaderFree(reader)
        functions.deallocate()
    }

    /// Hands bytes from the server to the reader, which copies them.
    func feed(_ bytes: UnsafeRawBufferPointer) throws(RedisError) {
        bytesSinceReply += bytes.count
        guard redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) == REDIS_OK
        else {
            throw error
        }
    }

    /// The next whole reply; nil when more bytes are needed.
    func next() throws(RedisError) -> RedisValue? {
        var token: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &token) == REDIS_OK else { throw error }
        if let value = finished.take() {
            bytesSinceReply = 0
            return value
        }
        guard bytesSinceReply <= maximumReplyBytes else {
            throw RedisError(
                .protocolError, "a reply is larger than the accepted \(maximumReplyBytes) bytes; read less at a time")
        }
        return nil
    }

    private var error: RedisError {
        let text = withUnsafeBytes(of: &reader.pointee.errstr) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return RedisError(
            .protocolError,
            "the answer is not the Redis protocol (\(text)); check that the address and port are those of a Redis server"
        )
    }
}

extension RedisReplyParser {
    fileprivate func open(count: Int) {
        guard count > 0 else { return add(.array([])) }
        var array = OpenArray(count: count)
        array.elements.reserveCapacity(min(count, 1024))  // the count is the peer's claim, not yet data
        openArrays.append(array)
    }

    fileprivate func add(_ value: RedisValue) {
        var value = value
        while let last = openArrays.indices.last {
            openArrays[last].elements.append(value)
            guard openArrays[last].elements.count == openArrays[last].count else { return }
            value = .array(openArrays.removeLast().elements)
        }
        finished = value
    }
}

extension redisReplyObjectFunctions {
    /// Functions that add each value to the parser in `privdata`. Their result is only a sign of success: hiredis keeps
    /// it, unread.
    fileprivate static var swiftValues: Self {
        var functions = Self()
        functions.createString = { task, text, count in
            task.addToParser { type in
                let bytes = UnsafeRawBufferPointer(start: text, count: count)
                return switch type {
                case REDIS_REPLY_STATUS: .status(String(decoding: bytes, as: UTF8.self))
                case REDIS_REPLY_ERROR: .error(String(decoding: bytes, as: UTF8.self))
                default: .bytes([UInt8](bytes))
                }
            }
        }
        functions.createArray = { task, count in
            task?.pointee.parser?.open(count: Int(count))
            return task?.pointee.privdata
        }
        functions.createInteger = { task, value in task.addToParser { _ in .integer(Int(value)) } }
        functions.createNil = { task in task.addToParser { _ in .null } }
        functions.freeObject = { _ in }
        return functions
    }
}

extension UnsafePointer<redisReadTask>? {
    fileprivate func addToParser(_ value: (_ type: Int32) -> RedisValue) -> UnsafeMutableRawPointer? {
        guard let task = self else { return nil }
        task.pointee.parser?.add(value(task.pointee.type))
        return task.pointee.privdata
    }
}

extension redisReadTask {
    fileprivate var parser: RedisReplyParser? {
        privdata.map { Unmanaged<RedisReplyParser>.fromOpaque($0).takeUnretainedValue() }
    }
}
