internal import Common

/// Reads the fields of server-sent events (HTML standard §9.2.6) in the pieces in which they come. It keeps at most the
/// beginning of a line, so that it reads an event of any length.
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

    private var lines = EventLineSplitter()
    private var field = Field.unknown
    /// The beginning of a line whose field is not known yet.
    private var begun: [UInt8] = []
    private var isAtValue = false
    private var eventName: [UInt8] = []
    private var dataLines = 0
    /// Bytes of the stream so far.
    private var count: Int
    private var lastLineEnd = 0
    /// Whether the line is the stream's first one, before which a byte order mark may stand.
    private var isFirstLine: Bool

    /// - Parameter count: bytes of the stream that are not given to it, such as blank lines at its beginning.
    init(after count: Int) { (self.count, isFirstLine) = (count, count == 0) }

    mutating func take(_ piece: [UInt8], _ visit: (Part) -> Void) {
        var start = lines.begin(piece)
        while let line = lines.nextLine(in: piece, from: start) {
            takePart(line.text, of: piece, visit)
            // The first byte of a CR LF ends the line.
            endLine(isBlank: line.isBlank, at: count + line.text.upperBound + 1, visit)
            start = line.end
        }
        takePart(start..<piece.count, of: piece, visit)
        count += piece.count
    }

    /// Ends an event that the stream ends with.
    mutating func end(_ visit: (Part) -> Void) {
        if lines.isInsideLine { endLine(isBlank: false, at: count, visit) }
        endLine(isBlank: true, at: count, visit)
    }

    /// Takes bytes of a line, in which no line ends.
    private mutating func takePart(_ range: Range<Int>, of piece: [UInt8], _ visit: (Part) -> Void) {
        var place = range.lowerBound
        while field == .unknown, place < range.upperBound {
            begin(piece[place], visit)
            place += 1
        }
        if place < range.upperBound { takeValue(piece, in: place..<range.upperBound, visit: visit) }
    }

    /// Takes a byte of a field's name.
    private mutating func begin(_ byte: UInt8, _ visit: (Part) -> Void) {
        guard byte == UInt8(ascii: ":") else {
            begun.append(byte)
            if begun.count > 8 { field = .other }
            return
        }
        field = Self.names.first { begun == $0.1 || (isFirstLine && begun == [0xEF, 0xBB, 0xBF] + $0.1) }?.0 ?? .other
        startValue(visit)
    }

    private mutating func startValue(_ visit: (Part) -> Void) {
        isAtValue = true
        if field == .event { eventName = [] }
        guard field == .data else { return }
        if dataLines > 0 { visit(.nextLine) }
        dataLines += 1
    }

    private mutating func takeValue(_ piece: [UInt8], in range: Range<Int>, visit: (Part) -> Void) {
        var start = range.lowerBound
        if isAtValue {
            isAtValue = false
            if piece[start] == UInt8(ascii: " ") { start += 1 }
        }
        switch field {
        case .data: if start < range.upperBound { visit(.data(start..<range.upperBound)) }
        case .event: eventName += piece[start..<range.upperBound].prefix(Self.name - eventName.count)
        case .other, .unknown: break
        }
    }

    private mutating func endLine(isBlank: Bool, at place: Int, _ visit: (Part) -> Void) {
        (field, isAtValue, isFirstLine) = (.unknown, false, false)
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
