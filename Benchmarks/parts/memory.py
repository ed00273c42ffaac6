"""Whether the gateway's memory stays flat under load."""

import time

import upstreams
from meter import Meter
from systems import running
from wrk import load, warm_up

CONNECTIONS = 64
SLICE = 10
MOST_ROWS = 20


def measure(options, report):
    if "gateway" not in options.systems:
        return
    report.section(
        "Memory over time",
        f"{CONNECTIONS} connections for {options.duration} s (DURATION), with the gateway's resident memory in MiB. Redis's grows by the",
        "insertion id that each answered completion leaves in its rollout's set for a day; the gateway's own must not.",
    )
    samples = []
    with report.attempt("gateway"), running("gateway", options, upstreams.instant) as system:
        warm_up(system, options.seconds)
        samples = sample(system, options.duration)
    every = -(-len(samples) // MOST_ROWS) or 1
    chosen = [*samples[:-1:every], *samples[-1:]]
    report.table(["second", "requests", "failed", "gateway", "redis"], chosen)
    if len(samples) > 2:
        second_half = samples[len(samples) // 2 :]
        redis_bytes = (samples[-1][4] - samples[0][4]) * 2**20 / max(samples[-1][1], 1)
        changes = f"The gateway's memory changes by {growth(second_half):+.2f} MiB a minute over the second half"
        report.write("", f"{changes}; Redis's by {redis_bytes:.0f} bytes a request.")


def sample(system, duration):
    """Seconds, requests and failures until then, and resident memory: before the load, and after each slice of it."""
    meter = Meter(system.measured)
    began = time.monotonic()
    total = failed = 0
    samples = []

    def note():
        usages = meter.read()
        samples.append((round(time.monotonic() - began), total, failed, *(usages[role].resident_kib / 1024 for role in ("gateway", "redis"))))

    note()
    while (left := duration - round(time.monotonic() - began)) > 0:
        result = load(system, CONNECTIONS, min(SLICE, left))
        total += result.requests
        failed += result.bad_status + result.broken
        note()
    return samples


def growth(samples):
    """The slope of the line through the samples by least squares, in MiB a minute."""
    count = len(samples)
    middle = sum(second for second, *_ in samples) / count
    spread = sum((second - middle) ** 2 for second, *_ in samples)
    return 60 * sum((second - middle) * gateway for second, _, _, gateway, _ in samples) / spread if spread else 0.0
