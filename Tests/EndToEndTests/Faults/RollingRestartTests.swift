import Common
import TestSupport
import Testing

/// Every process is stopped (SIGTERM) and started again, one after the other, while clients call through a load
/// balancer.
@Suite(.timeLimit(.minutes(5))) struct RollingRestartTests {
    /// Addresses that no client's socket has for its own: the ports stay free while nobody listens there.
    private static let hosts = ["127.0.0.21", "127.0.0.22"]
    private static let clients = 16

    @Test func `no request fails`() async throws {
        let ingresses = [RollingRestartSlot(), RollingRestartSlot()]
        let forwarders = [RollingRestartSlot(), RollingRestartSlot()]
        let slots = ingresses + forwarders
        try await GatewayFleet.run { fleet in
            try await withThrowingTaskGroup { group in
                let (ports, sender) = AsyncStream<(Int, Int)>.makeStream()
                for (index, slot) in ingresses.enumerated() {
                    group.addTask {
                        try await keepIngress(of: fleet, host: Self.hosts[index], slot: slot) {
                            sender.yield((index, $0))
                        }
                    }
                }
                for slot in forwarders { group.addTask { try await keepForwarder(fleet, slot) } }
                defer { group.cancelAll() }
                var addresses = Self.hosts
                var found = 0
                for await (index, port) in ports {
                    addresses[index] += ":\(port)"
                    found += 1
                    if found == addresses.count { break }
                }
                try await eventually { try await fleet.alive().count == forwarders.count }
                try await RollingRestartBalancer.run(addresses, in: fleet.folder) { balancer in
                    try await restartAll(slots, of: fleet, port: balancer.port)
                }
                for slot in slots { slot.stop() }
                try await group.waitForAll()
            }
        }
    }

    private func keepIngress(
        of fleet: GatewayFleet, host: String, slot: RollingRestartSlot, listens: @Sendable (Int) -> Void
    ) async throws {
        var port = 0
        var goesOn = true
        while goesOn {
            let ending = try await fleet.process("ingress", variables: ["HOST": host, "PORT": "\(port)"]) { process in
                let isFirst = port == 0
                port = try EndToEndTests.port(in: try await process.line(with: "listens on"))
                if isFirst { listens(port) }
                goesOn = await slot.up()
            }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    private func keepForwarder(_ fleet: GatewayFleet, _ slot: RollingRestartSlot) async throws {
        var goesOn = true
        while goesOn {
            let ending = try await fleet.forwarder { _ in goesOn = await slot.up() }
            #expect(ending.code == 0, "\(ending.output)")
        }
    }

    /// Two rounds, so that the last process of the first is restarted under load too.
    private func restartAll(_ slots: [RollingRestartSlot], of fleet: GatewayFleet, port: Int) async throws {
        let load = RollingRestartLoad()
        try await withThrowingTaskGroup { group in
            for number in 0..<Self.clients {
                group.addTask { try await load.client(number, isPersistent: number % 3 > 0, to: port) }
            }
            for _ in 0..<2 {
                for slot in slots {
                    try await goOn(load)
                    try await slot.restart()
                }
            }
            try await goOn(load)
            await load.stop()
            try await group.waitForAll()
        }
        let (succeeded, failures) = await (load.succeeded, load.failures)
        #expect(failures.count == 0, "besides \(succeeded): \(failures.prefix(3))")
        #expect(try await fleet.ids().count == succeeded)
        try await eventually { try await fleet.length(Keys.jobs) == 0 }
        #expect(try await fleet.length(Keys.dead) == 0)
    }

    /// Lets a number of calls succeed.
    private func goOn(_ load: RollingRestartLoad) async throws {
        let before = await load.succeeded
        try await eventually(within: .seconds(30)) { await load.succeeded >= before + 100 }
    }
}
