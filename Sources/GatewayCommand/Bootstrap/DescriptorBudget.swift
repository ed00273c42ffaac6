internal import Common

/// Divides the file descriptors that the process may open among its ports and calls. So neither clients nor calls can
/// take those which Redis, files and the other ports need.
///
/// A reserve is kept for what each process opens in any case. Each setting that bounds a number of connections then
/// gets what it asks for, as far as there are descriptors. Where there are too few, those that ask for more than their
/// part of what is left get that part, by their weights.
struct DescriptorBudget: Equatable {
    /// A setting that bounds how many descriptors are used for one purpose.
    struct Share: Equatable {
        let setting: String
        /// The setting's value.
        let wanted: Int
        /// The least with which the process works.
        let least: Int
        /// The number of those that may need a second descriptor for a moment.
        let brief: Int
        /// Its part of what is left, beside the others'.
        let weight: Int
        /// The number that there is room for.
        fileprivate(set) var granted: Int

        fileprivate init(_ setting: String, wanted: Int, least: Int, weight: Int, brief: Int = 0) {
            self.setting = setting
            self.wanted = wanted
            self.least = min(least, wanted)
            self.brief = brief
            self.weight = weight
            granted = self.least
        }

        /// Descriptors of what is granted.
        var descriptors: Int { Self.descriptors(granted, brief) }
        /// Descriptors that it would still take.
        fileprivate var missing: Int { Self.descriptors(wanted, brief) - descriptors }

        /// Grants as many as these further descriptors are enough for.
        fileprivate mutating func grant(_ more: Int) {
            let all = descriptors + more
            granted = all < 2 * brief ? all / 2 : all - brief
        }

        private static func descriptors(_ count: Int, _ brief: Int) -> Int { count + min(count, brief) }
    }

    /// The limit is too small for the process to work at all.
    struct TooFew: Error, Equatable, CustomStringConvertible {
        let role: Role
        let limit: Int
        let least: Int

        var description: String {
            "the process may open \(limit) files and sockets (RLIMIT_NOFILE), and `\(role.rawValue)` needs \(least) at "
                + "least on this machine; \(DescriptorBudget.remedy)"
        }
    }

    private static let remedy =
        "raise the limit (`ulimit -n`, systemd's LimitNOFILE, docker's `--ulimit nofile=`)"
    /// Of one event loop: epoll, a timer and an event.
    private static let loopDescriptors = 3

    /// The number of descriptors that the process may have open.
    let limit: Int
    /// Descriptors that are kept for Redis, files, event loops and what is opened for a moment.
    let reserve: Int
    private(set) var shares: [Share]

    /// - Parameters:
    ///   - limit: descriptors that the process may have open.
    ///   - loops: its event loops.
    init(_ settings: Settings, limit: Int, loops: Int) throws(TooFew) {
        self.limit = limit
        reserve = settings.role.openDescriptors + Self.loopDescriptors * loops
        shares = settings.descriptorShares
        var free = limit - reserve - shares.reduce(0) { $0 + $1.descriptors }
        guard free >= 0 else { throw TooFew(role: settings.role, limit: limit, least: limit - free) }
        // Those that want the least of their part go first: what they leave is the others'.
        let places = shares.indices.sorted {
            shares[$0].missing * shares[$1].weight < shares[$1].missing * shares[$0].weight
        }
        var weights = shares.reduce(0) { $0 + $1.weight }
        for place in places {
            let before = shares[place].descriptors
            shares[place].grant(min(shares[place].missing, free * shares[place].weight / weights))
            free -= shares[place].descriptors - before
            weights -= shares[place].weight
        }
    }

    /// The settings with what there is room for.
    func applied(to settings: Settings) -> Settings {
        var settings = settings
        for share in shares {
            switch share.setting {
            case Self.connections: settings.http.maxConnections = share.granted
            case Self.calls: settings.queue.forwarderConcurrency = share.granted
            case Self.questions: settings.traces.verifierConcurrency = share.granted
            case Self.storeConnections: settings.traceStore.maxConnections = share.granted
            default: settings.metrics.maxConnections = share.granted
            }
        }
        return settings
    }

    /// The warning for the operator where a setting gets less than it asks for; nil: none does.
    var warning: String? {
        let lowered = shares.filter { $0.granted < $0.wanted }.map {
            "\($0.setting) is \($0.granted) instead of \($0.wanted)"
        }
        guard !lowered.isEmpty else { return nil }
        return
            "the process may open \(limit) files and sockets (RLIMIT_NOFILE), so \(lowered.joined(separator: ", ")); "
            + "\(Self.remedy), or lower the settings"
    }

    fileprivate static let connections = "MAX_CONNECTIONS"
    fileprivate static let calls = "FORWARDER_CONCURRENCY"
    fileprivate static let questions = "VERIFIER_CONCURRENCY"
    fileprivate static let storeConnections = "TRACESTORE_MAX_CONNECTIONS"
    fileprivate static let scrapers = "METRICS_MAX_CONNECTIONS"
}

extension Role {
    /// Descriptors that an idle process has open, without those of its event loops, and the most that it opens for a
    /// moment: for files that it reads again, connections to Redis that are made anew, exports, and connections that
    /// are accepted together. Measured (`OpenFilesTests`).
    fileprivate var openDescriptors: Int {
        switch self {
        case .serve: 71
        case .ingress: 24
        case .forwarder: 34
        case .verifier: 27
        case .tracestore: 37
        }
    }
}

extension Settings {
    fileprivate var descriptorShares: [DescriptorBudget.Share] {
        var shares: [DescriptorBudget.Share] = []
        if role == .serve || role == .ingress {
            shares.append(.init(DescriptorBudget.connections, wanted: http.maxConnections, least: 8, weight: 4))
        }
        if role == .serve || role == .forwarder {
            // Beside its socket a call has another one while its provider's name is looked up.
            shares.append(
                .init(DescriptorBudget.calls, wanted: queue.forwarderConcurrency, least: 4, weight: 4, brief: 256))
        }
        if role == .serve || role == .verifier {
            shares.append(.init(DescriptorBudget.questions, wanted: traces.verifierConcurrency, least: 2, weight: 1))
        }
        if role == .tracestore || role == .serve && backends.langfuse == .embedded {
            shares.append(
                .init(DescriptorBudget.storeConnections, wanted: traceStore.maxConnections, least: 4, weight: 2))
        }
        if metrics.port != nil {
            shares.append(.init(DescriptorBudget.scrapers, wanted: metrics.maxConnections, least: 2, weight: 1))
        }
        return shares
    }
}
