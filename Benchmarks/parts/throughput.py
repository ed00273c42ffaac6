"""Requests a second, times and costs of short calls at an instant upstream; and how the gateway compares."""

import statistics
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import product

import upstreams
from report import by_role
from systems import running
from wrk import load, system_calls, warm_up

CONNECTIONS = (1, 16, 64)
# The system whose figures the others' are divided by.
YARDSTICK = "vllm-router"
SPEED = ["req/s", "p50 ms", "p99 ms", "not 2xx", "broken"]
COSTS = ["CPU µs a request", "changes of thread", "system calls", "peak MiB"]
HEADERS = ["system", "connections", *SPEED, *COSTS, f"req/s ÷ {YARDSTICK}'s", f"CPU ÷ {YARDSTICK}'s"]


@dataclass(frozen=True)
class Rounds:
    """The results of each round, by system and connections. A system that failed has none."""

    rounds: list

    def of(self, key):
        return [results[key] for results in self.rounds if key in results]

    def median(self, figure, *keys):
        """Of a figure that each round makes of its own results of these keys; None without such a round."""
        figures = [figure(*map(results.get, keys)) for results in self.rounds if all(key in results for key in keys)]
        return statistics.median(figures) if figures else None

    def median_by_role(self, figures, key):
        values = defaultdict(list)
        for result in self.of(key):
            for role, value in figures(result).items():
                values[role].append(value)
        return {role: statistics.median(of_role) for role, of_role in values.items()}


def measure(options, report):
    report.section(
        "Short calls",
        "Request 1.2 KB, answer 0.4 KB, at once. `direct` is wrk straight to the upstream. Changes of thread and system calls are a request's;",
        "the latter are counted by perf in a run of their own, if it is there and may. The last two columns are ratios to the figure of",
        f"{YARDSTICK} in the same round, of CPU without the upstream's. Rounds of all systems in turn (ROUNDS): {options.rounds}; shown are medians,",
        "and the sums of `not 2xx` and `broken`.",
    )
    rounds = Rounds([one_round(options, report) for _ in range(options.rounds)])
    keys = product(("direct", *options.systems), CONNECTIONS)
    report.table(HEADERS, [row(key, rounds) for key in keys if rounds.of(key)])
    compare(rounds, report)


def one_round(options, report):
    results = {}
    for name in ("direct", *options.systems):
        with report.attempt(name), running(name, options, upstreams.instant) as system:
            warm_up(system, options.seconds)
            for connections in CONNECTIONS:
                result = load(system, connections, options.seconds)
                results[name, connections] = replace(result, system_calls=system_calls(system, connections, options.seconds))
    return results


def row(key, rounds):
    name, connections = key
    speed = [rounds.median(figure, key) for figure in (lambda each: each.rate, lambda each: each.p50, lambda each: each.p99)]
    failures = [sum(each.bad_status for each in rounds.of(key)), sum(each.broken for each in rounds.of(key))]
    costs = [
        by_role(rounds.median_by_role(lambda each: each.cpu_micros, key)),
        by_role(rounds.median_by_role(lambda each: each.switches, key), 1),
        by_role(rounds.median_by_role(lambda each: each.system_calls, key), 1) or None,
        by_role(rounds.median_by_role(lambda each: each.peak_mib, key), 1),
    ]
    other = (YARDSTICK, connections)
    rate = rounds.median(lambda mine, others: mine.rate / others.rate, key, other)
    cpu = rounds.median(lambda mine, others: mine.own_cpu_micros / others.own_cpu_micros, key, other)
    # `direct` has no time of its own.
    return [name, connections, *speed, *failures, *costs, rate, cpu or None]


def compare(rounds, report):
    """The gateway against the targets that were set for it; nothing of a system that was not measured."""
    rows = []

    def ratio(other, target, system="gateway"):
        value = rounds.median(lambda mine, others: mine.rate / others.rate, (system, 64), (other, 64))
        if value is not None:
            of = "" if system == "gateway" else f"of {system}, "
            rows.append([f"{of}req/s at 64 connections, times {other}'s", value, f"≥ {target}", verdict(value >= target)])

    ratio("vllm-router", 0.6)
    ratio("litellm", 40)
    ratio("litellm", 40, "gateway-traces")
    ratio("gateway", 0.9, "gateway-rules")
    ratio("gateway-traces", 0.95, "gateway-log")
    ratio("gateway", 0.9, "gateway-log-untraced")
    added = rounds.median(lambda gateway, nginx: gateway.p50 - nginx.p50, ("gateway", 1), ("nginx", 1))
    if added is not None:
        rows.append(["p50 at one connection, ms more than nginx's", added, "≤ 1", verdict(added <= 1)])
    slowest = rounds.median(lambda gateway: gateway.p99, ("gateway", 1))
    if slowest is not None:
        rows.append(["p99 at one connection, ms", slowest, "≤ 5", verdict(slowest <= 5)])
    if rows:
        report.write("")
        report.table(["gateway", "measured", "target", "reached"], rows)


def verdict(is_reached):
    return "yes" if is_reached else "no"
