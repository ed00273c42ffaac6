"""Many streams at once: what a system adds to the first chunk, to the time between two chunks, and to each chunk's way."""

import calls
import upstreams
from meter import Meter
from report import by_role, millis, percentile
from systems import running

CHUNKS, PACE = 50, 0.2
# Seconds within which the streams begin.
SPREAD = 2
# One worker of it takes minutes for this many streams.
LEFT_OUT = ("litellm",)
HEADERS = ["system", "whole", "first chunk p50", "p99", "added p50", "p99", "gap p50", "p99", "way p50", "p99", "CPU µs a chunk", "peak MiB"]


def upstream(workshop):
    return upstreams.paced(workshop, "--chunks", CHUNKS, "--pace", PACE)


def measure(options, report):
    report.section(
        "Streams",
        f"{options.streams} at once, begun within {SPREAD} s, each of {CHUNKS} chunks, one every {PACE * 1000:.0f} ms. Figures in milliseconds.",
        "First chunk: from the request on; added: what that is more than `direct`, the same client straight to the upstream; gap: between two",
        "chunks; way: from the upstream's sending a chunk to the client's having it. Client and upstream are Python and share the machine.",
    )
    rows, base = [], None
    for name in ("direct", *(name for name in options.systems if name not in LEFT_OUT)):
        with report.attempt(name), running(name, options, upstream) as system:
            outcome, usages = stream(system, options.streams)
            first = both(outcome.first_chunks)
            base = first if name == "direct" else base
            added = [value - less for value, less in zip(first, base, strict=True)] if base and None not in first else [None, None]
            chunks = max(len(outcome.transits), 1)
            cpu = by_role({role: usage.cpu_seconds / chunks * 1e6 for role, usage in usages.items()})
            peak = by_role({role: usage.peak_kib / 1024 for role, usage in usages.items()}, 1)
            whole = f"{outcome.whole}/{options.streams}"
            rows.append([name, whole, *first, *added, *both(outcome.gaps), *both(outcome.transits), cpu, peak])
            for failure in outcome.failures[:1]:
                report.write(f"A stream through {name} failed: `{failure}`", "")
    report.table(HEADERS, rows)


def stream(system, count):
    body = system.request_body(stream=True)
    # A few first, so that nothing is measured that happens once.
    calls.make(system, body, 20, b"[DONE]", spread=0.1, within=60)
    meter = Meter(system.measured)
    return calls.make(system, body, count, b"[DONE]", spread=SPREAD, within=120), meter.read()


def both(nanoseconds):
    return [millis(percentile(nanoseconds, share)) for share in (0.5, 0.99)]
