/// The contents of a stream, and the progress of its groups' workers.
package struct StreamState: Sendable, Equatable {
    package struct Worker: Sendable, Equatable {
        package var name: String
        /// Entries that it was given and has not settled.
        package var pending: Int
        /// The time since it last asked for anything, in milliseconds.
        package var idle: Int
        /// Whether it says that it lives; nil where workers of this stream do not say so.
        package var isAlive: Bool?

        package init(name: String, pending: Int, idle: Int, isAlive: Bool? = nil) {
            self.name = name
            self.pending = pending
            self.idle = idle
            self.isAlive = isAlive
        }
    }

    package struct Group: Sendable, Equatable {
        package var name: String
        /// Entries that no worker was given yet; nil where Redis does not know.
        package var lag: Int?
        /// Entries that a worker was given and has not settled.
        package var pending: Int
        /// At most ``StreamReader/workers``.
        package var workers: [Worker]
        /// The number of all workers of the group.
        package var workerCount: Int
    }

    /// The Redis key.
    package var key: String
    package var length: Int
    /// The age of the oldest entry, by Redis's clock, in milliseconds; nil where there is none.
    package var age: Int?
    package var groups: [Group]

    package init(key: String, length: Int = 0, age: Int? = nil, groups: [Group] = []) {
        self.key = key
        self.length = length
        self.age = age
        self.groups = groups
    }
}
