/// Things to be done at some time, the earliest first. Pure: it is told what time it is.
///
/// Times that are added come mostly in their order, so each is put at the end.
struct DueQueue<Element, Time: Comparable> {
    private var entries: [(element: Element, due: Time)] = []

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ element: Element, due: Time) {
        var place = entries.count
        while place > 0, entries[place - 1].due > due { place -= 1 }
        entries.insert((element, due), at: place)
    }

    /// The earliest time at which there is something to do. Entries in front that are no longer wanted are forgotten.
    mutating func earliest(_ isWanted: (Element, Time) -> Bool) -> Time? {
        entries.removeFirst(entries.prefix { !isWanted($0.element, $0.due) }.count)
        return entries.first?.due
    }

    /// Hands over all that is to be done by now.
    mutating func takeDue(at now: Time) -> [Element] {
        let due = entries.prefix { $0.due <= now }.map(\.element)
        entries.removeFirst(due.count)
        return due
    }
}
