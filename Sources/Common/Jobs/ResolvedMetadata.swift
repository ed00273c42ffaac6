/// The metadata of one request: keys with their values, each key once, with its origin. The ids of the path stand in
/// `Job.rollout` and are added where a rule looks at them.
package struct ResolvedMetadata: Sendable, Equatable {
    /// The source of a value. The header and the path are claims of the client; the others are set by the operator.
    package enum Origin: UInt8, Sendable, CaseIterable {
        /// A header of the request.
        case header = 1
        /// `gateway_metadata` of the operator's configuration.
        case gateway = 2
        /// The entry of the client's API key.
        case key = 3
        /// The ids in the path.
        case path = 4

        package var name: String {
            switch self {
            case .header: "header"
            case .gateway: "gateway"
            case .key: "key"
            case .path: "path"
            }
        }
    }

    package struct Entry: Sendable, Equatable {
        package var key: String
        package var value: String
        package var origin: Origin

        package init(_ key: String, _ value: String, from origin: Origin) {
            self.key = key
            self.value = value
            self.origin = origin
        }

        package static func == (left: Self, right: Self) -> Bool {
            left.key == right.key && left.value == right.value && left.origin == right.origin
        }

        /// The entry as a trace is found by it.
        package var tag: String { "\(key):\(value)" }
    }

    /// In the order in which the keys came.
    package private(set) var entries: [Entry] = []

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    /// The entry of a key, which is compared by its bytes.
    package subscript(_ key: String) -> Entry? { entries.first { $0.key == key } }

    /// Sets a key. A value that is there already is replaced, its origin too.
    package mutating func set(_ key: String, to value: String, from origin: Origin) {
        let entry = Entry(key, value, from: origin)
        if let place = entries.firstIndex(where: { $0.key == key }) {
            entries[place] = entry
        } else {
            entries.append(entry)
        }
    }

    package mutating func remove(_ key: String) { entries.removeAll { $0.key == key } }
}

extension RolloutIDs {
    /// The id under its name.
    package func id(named name: String) -> String? {
        switch UTF8Text(name) {
        case "rollout_id": rollout
        case "invocation_id": invocation
        case "experiment_id": experiment
        case "run_id": run
        case "row_id": row
        default: nil
        }
    }

    /// The ids under the names that paths have them by.
    package var metadata: [(key: String, value: String)] {
        [
            ("rollout_id", rollout), ("invocation_id", invocation), ("experiment_id", experiment), ("run_id", run),
            ("row_id", row),
        ]
    }
}
