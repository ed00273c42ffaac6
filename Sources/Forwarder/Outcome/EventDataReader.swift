/// Reads the fields of server-sent events (HTML standard §9.2.6) in the pieces in which they come. It keeps the
/// beginning of a line at the most, so that an event of any length is read.
struct EventDataReader: Sendable {
    enum Part {
        /// A part of the event's data lies there.
        case data(Range<Int>)
        /// Another line of data follows the one before.
        case nextLine
        /// The event is over. Its last line ended so many bytes after the stream's beginning.
        case end(name: [UInt8], at: Int)
    }

    private enum Field { case unknown, data, event, other }

    /// Bytes of an event's name that are kept.
    private static let name = 32
    private static let names: [(Field, [UInt8])] = [(.data, Array("data".utf8)), (.event, Array("event".utf8))]

    private var field = Field.unknown
    /// The beginning of a line whose field is not known yet.
    private var begun: [UInt8] = []
    private var isAtValue = false
    private var eventName: [UInt8] = []
    private var dataLines = 0
    private var endedWithCR = false
    /// Bytes of the stream so far.
    private var count: Int
    private var lastLineEnd = 0

    /// - Parameter count: bytes of the stream that are not given to it, such as blank lines at its beginning.
    init(after count: Int) { self.count = count }

    mutating func take(_ piece: [UInt8], _ visit: (Part) -> Void) {
        var place = 0
        while place < piece.count {
            let byte = piece[place]
            if endedWithCR {
                endedWithCR = false
                if byte == UInt8(ascii: "\n") {
                    place += 1
                    continue
                }
            }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                place += 1
                endedWithCR = byte == UInt8(ascii: "\r")
                endLine(at: count + place, visit)
            } else if field == .unknown {
                place += 1
                begin(byte, visit)
            } else {
                place = takeValue(piece, place, visit)
            }
        }
        count += piece.count
    }

    /// Ends an event that the stream ends with.
    mutating func end(_ visit: (Part) -> Void) {
        if field != .unknown || !begun.isEmpty { endLine(at: count, visit) }
        endLine(at: count, visit)
    }

    /// Takes a byte of a field's name.
    private mutating func begin(_ byte: UInt8, _ visit: (Part) -> Void) {
        guard byte == UInt8(ascii: ":") else {
            begun.append(byte)
            if begun.count > 8 { field = .other }
            return
        }
        field = Self.names.first { begun == $0.1 || (count == 0 && begun == [0xEF, 0xBB, 0xBF] + $0.1) }?.0 ?? .other
        startValue(visit)
    }

    private mutating func startValue(_ visit: (Part) -> Void) {
        isAtValue = true
        if field == .event { eventName = [] }
        guard field == .data else { return }
        if dataLines > 0 { visit(.nextLine) }
        dataLines += 1
    }

    private mutating func takeValue(_ piece: [UInt8], _ start: Int, _ visit: (Part) -> Void) -> Int {
        var start = start
        if isAtValue {
            isAtValue = false
            if piece[start] == UInt8(ascii: " ") { start += 1 }
        }
        var end = start
        while end < piece.count, piece[end] != UInt8(ascii: "\n"), piece[end] != UInt8(ascii: "\r") { end += 1 }
        switch field {
        case .data: if end > start { visit(.data(start..<end)) }
        case .event: eventName += piece[start..<end].prefix(Self.name - eventName.count)
        case .other, .unknown: break
        }
        return end
    }

    private mutating func endLine(at place: Int, _ visit: (Part) -> Void) {
        let isBlank = field == .unknown && begun.isEmpty
        (field, isAtValue) = (.unknown, false)
        begun.removeAll(keepingCapacity: true)
        guard isBlank else {
            lastLineEnd = place
            return
        }
        // An event of neither data nor a name is none.
        if dataLines > 0 || !eventName.isEmpty { visit(.end(name: eventName, at: lastLineEnd)) }
        eventName = []
        dataLines = 0
    }
}
