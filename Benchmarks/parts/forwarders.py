"""One forwarder process against two, as processes of their own beside an ingress and a Redis."""

import upstreams
from processes import Workshop
from report import by_role
from systems import SplitGateway
from wrk import load, warm_up

CONNECTIONS = 64


def measure(options, report):
    if "gateway" not in options.systems:
        return
    report.section(
        "Separate processes",
        f"`ingress`, `forwarder` and Redis apart, {CONNECTIONS} connections: one forwarder, then two, then one again.",
    )
    results = []
    with report.attempt("the gateway in separate processes"), Workshop() as workshop:
        gateway = SplitGateway(workshop, upstreams.instant(workshop), options)
        gateway.start_forwarder()
        gateway.system.wait_until_ready()
        warm_up(gateway.system, options.seconds)
        results.append((1, load(gateway.system, CONNECTIONS, options.seconds)))
        second = gateway.start_forwarder()
        results.append((2, load(gateway.system, CONNECTIONS, options.seconds)))
        gateway.stop_forwarder(second)
        results.append((1, load(gateway.system, CONNECTIONS, options.seconds)))
    report.table(["forwarders", "req/s", "p50 ms", "p99 ms", "failed", "CPU µs a request", "peak MiB"], [row(*result) for result in results])
    if len(results) == 3:
        before, two, after = (result.rate for _, result in results)
        report.write("", f"Two forwarders do {two / ((before + after) / 2):.2f} times the requests of one (target: not fewer).")


def row(count, result):
    costs = (by_role(result.cpu_micros), by_role(result.peak_mib, 1))
    return [count, result.rate, result.p50, result.p99, result.bad_status + result.broken, *costs]
