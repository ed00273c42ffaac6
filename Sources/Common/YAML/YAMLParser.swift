internal import CYAML

/// libyaml's parser over bytes that outlive it. Freed exactly once.
///
/// It gives events rather than libyaml's own document, so that the reader stops at the first thing it refuses. A
/// document is built whole before it can be looked at. That takes a time which grows with the square of its depth and
/// of its anchors.
struct YAMLParser: ~Copyable {
    private let raw: UnsafeMutablePointer<yaml_parser_t>

    /// Nil if there is no memory.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        let raw = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard yaml_parser_initialize(raw) == 1 else {
            raw.deallocate()
            return nil
        }
        yaml_parser_set_input_string(raw, bytes.baseAddress, bytes.count)
        self.raw = raw
    }

    deinit {
        yaml_parser_delete(raw)
        raw.deallocate()
    }

    /// The next event. Not to be asked again after `streamEnd` or an error.
    mutating func next() throws(YAMLFailure) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(raw, &event) == 1 else { throw YAMLFailure(raw.pointee) }
        defer { yaml_event_delete(&event) }
        return YAMLEvent(event)
    }
}
