"""What larger requests cost."""

import upstreams
from report import by_role
from systems import running
from wrk import load, warm_up

SIZES = (1_000, 17_000, 400_000)
CONNECTIONS = 16


def measure(options, report):
    report.section("Larger requests", f"{CONNECTIONS} connections; the answer stays at 0.4 KB.")
    rows = []
    for name in options.systems:
        with report.attempt(name), running(name, options, upstreams.instant) as system:
            warm_up(system, options.seconds)
            for size in SIZES:
                result = load(system, CONNECTIONS, options.seconds, system.request_body(size))
                speed = (result.rate, result.rate * size / 1e6, result.p50, result.p99)
                costs = (by_role(result.cpu_micros), by_role(result.peak_mib, 1))
                rows.append([name, size, *speed, result.bad_status + result.broken, *costs])
    report.table(["system", "bytes", "req/s", "MB/s", "p50 ms", "p99 ms", "failed", "CPU µs a request", "peak MiB"], rows)
