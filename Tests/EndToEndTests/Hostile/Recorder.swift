import TestSupport

/// The requests that a server was sent, for a test to look at.
actor Recorder {
    private(set) var requests: [String] = []

    func add(_ request: String) { requests.append(request) }

    /// All that was sent, in one text.
    var everything: String { requests.joined(separator: "\n") }

    func forget() { requests = [] }
}
