internal import Common
internal import Glibc
internal import ServiceLifecycle
internal import UnixSignals

/// Ends the process in order at a SIGHUP that means its end: its terminal was closed, or it has nothing to read again.
///
/// The one who closes a terminal and the one who runs `kill -HUP` send the same signal. What tells them apart is the
/// terminal itself: the kernel takes it from all of a session's processes before it sends them the signal.
struct HangUpWatch: NamedService {
    /// The meaning of a SIGHUP.
    enum Meaning: Equatable {
        case reload
        case end
    }

    /// Whether the process had a terminal when it started.
    private let hadTerminal: Bool
    /// Whether the process was started to outlive its terminal (nohup(1)).
    private let isIgnored: Bool
    /// Whether there are rules to read again.
    private let reloads: Bool

    /// Looks at the process as it is started, before any part of it takes signals.
    init(reloads: Bool) {
        self.reloads = reloads
        hadTerminal = Self.hasTerminal
        var action = sigaction()
        isIgnored =
            sigaction(SIGHUP, nil, &action) == 0
            && unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == Self.ignoring
    }

    /// `SIG_IGN` as a number.
    private static let ignoring = 1

    /// Returns when the process is to end.
    func run() async throws {
        guard !isIgnored else {
            try? await gracefulShutdown()
            return
        }
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            for await _ in signals {
                let meaning = Self.meaning(hadTerminal: hadTerminal, hasTerminal: Self.hasTerminal, reloads: reloads)
                if meaning == .end { return }
            }
        }
    }

    /// - Parameters:
    ///   - hadTerminal: whether the process had a terminal when it started.
    ///   - hasTerminal: whether it has one now.
    ///   - reloads: whether it has rules to read again.
    static func meaning(hadTerminal: Bool, hasTerminal: Bool, reloads: Bool) -> Meaning {
        reloads && (hasTerminal || !hadTerminal) ? .reload : .end
    }

    /// Whether the process has a controlling terminal now (tty(4)).
    private static var hasTerminal: Bool {
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }
}
