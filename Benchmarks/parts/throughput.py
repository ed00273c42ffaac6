"""Requests a second, times and costs of short calls at an instant upstream; and how the gateway compares."""

from dataclasses import replace

import upstreams
from report import by_role
from systems import running
from wrk import load, system_calls, warm_up

CONNECTIONS = (1, 16, 64)
SPEED = ["req/s", "p50 ms", "p99 ms", "not 2xx", "broken"]
COSTS = ["CPU µs a request", "changes of thread", "system calls", "peak MiB"]
HEADERS = ["system", "connections", *SPEED, *COSTS]


def measure(options, report):
    report.section(
        "Short calls",
        "Request 1.2 KB, answer 0.4 KB, at once. `direct` is wrk straight to the upstream. Changes of thread and system calls are a request's;",
        "the latter are counted by perf in a run of their own, if it is there and may.",
    )
    results = {}
    for name in ("direct", *options.systems):
        with report.attempt(name), running(name, options, upstreams.instant) as system:
            warm_up(system, options.seconds)
            for connections in CONNECTIONS:
                result = load(system, connections, options.seconds)
                results[name, connections] = replace(result, system_calls=system_calls(system, connections, options.seconds))
    report.table(HEADERS, [row(*key, result) for key, result in results.items()])
    compare(results, report)


def row(name, connections, result):
    counts = (by_role(result.switches, 1), by_role(result.system_calls, 1) or None)
    costs = (by_role(result.cpu_micros), *counts, by_role(result.peak_mib, 1))
    return [name, connections, result.rate, result.p50, result.p99, result.bad_status, result.broken, *costs]


def compare(results, report):
    """The gateway against the targets that were set for it; nothing of a system that was not measured."""
    rows = []

    def ratio(other, target, system="gateway"):
        if (system, 64) in results and (other, 64) in results:
            value = results[system, 64].rate / results[other, 64].rate
            of = "" if system == "gateway" else f"of {system}, "
            rows.append([f"{of}req/s at 64 connections, times {other}'s", value, f"≥ {target}", verdict(value >= target)])

    ratio("vllm-router", 0.6)
    ratio("litellm", 40)
    ratio("litellm", 40, "gateway-traces")
    if ("gateway", 1) in results:
        gateway = results["gateway", 1]
        if ("nginx", 1) in results:
            added = gateway.p50 - results["nginx", 1].p50
            rows.append(["p50 at one connection, ms more than nginx's", added, "≤ 1", verdict(added <= 1)])
        rows.append(["p99 at one connection, ms", gateway.p99, "≤ 5", verdict(gateway.p99 <= 5)])
    if rows:
        report.write("")
        report.table(["gateway", "measured", "target", "reached"], rows)


def verdict(is_reached):
    return "yes" if is_reached else "no"
