"""Thousands of calls in flight at an upstream that takes its time: all must succeed, and cost little memory."""

import calls
import upstreams
from meter import Meter
from processes import ask
from report import by_role, millis, percentile
from systems import running

DELAY = 2
# One worker of it takes minutes for this many calls.
LEFT_OUT = ("litellm",)
HEADERS = ["system", "whole", "at once", "p50 ms", "p99 ms", "KiB a call", "CPU µs a call", "peak MiB"]


def upstream(workshop):
    return upstreams.paced(workshop, "--delay", DELAY)


def measure(options, report):
    report.section(
        "Calls in flight",
        f"{options.calls} calls, sent as fast as the client can, to an upstream that answers after {DELAY} s. At once: the most that",
        "the upstream saw in flight. KiB a call: how far the resident memory of the system's processes rose at its peak, Redis's included,",
        "a call; target of the gateway: 40.",
    )
    rows = []
    for name in ("direct", *(name for name in options.systems if name not in LEFT_OUT)):
        with report.attempt(name), running(name, options, upstream) as system:
            rows.append(row(system, options.calls, report))
    report.table(HEADERS, rows)


def row(system, count, report):
    body = system.request_body()
    # A few first, so that nothing is measured that happens once; not so many that memory for the others is there already.
    calls.make(system, body, 20, b'"usage"', spread=0, within=60)
    ask(system.upstream.port, "GET", "/peak")
    meter = Meter(system.measured)
    before = {role: usage.resident_kib for role, usage in meter.read().items()}
    outcome = calls.make(system, body, count, b'"usage"', spread=0, within=120)
    usages = meter.read()
    _, at_once = ask(system.upstream.port, "GET", "/peak")
    for failure in outcome.failures[:1]:
        report.write(f"A call through {system.name} failed: `{failure}`", "")
    risen = sum(usage.peak_kib - before[role] for role, usage in usages.items() if role != "upstream")
    cpu = by_role({role: usage.cpu_seconds / count * 1e6 for role, usage in usages.items()})
    peak = by_role({role: usage.peak_kib / 1024 for role, usage in usages.items()}, 1)
    spent = [millis(percentile(outcome.totals, share)) for share in (0.5, 0.99)]
    return [system.name, f"{outcome.whole}/{count}", int(at_once), *spent, risen / count if system.children else None, cpu, peak]
