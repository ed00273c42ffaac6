"""Measures the dashboard's pages, and the questions behind them, on a request log that RequestLogBench has filled.

    python3 Benchmarks/pages.py .build/release/metadata-gateway FOLDER [TIMES] [WORDS]

FOLDER is the one that was filled; `serve` keeps its data there. WORDS stand in the names of the questions that are
asked; without them all are. The table tells of each question how long it took: median, 95th percentile and maximum of
TIMES (default 25) answers, each with other values, and the first one after the system's cache was emptied (as root;
else a dash). Needs nothing but Python and nginx.
"""

import json
import os
import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from large_log import PROJECT, ROLLOUTS, serving

# How many values each metadata key has: those of BulkRows.swift.
VALUES = [3, 2, 4, 5, 8, 10, 12, 16, 20, 25, 32, 50, 64, 100, 128, 200, 256, 500, 1000, 100_000]


def completions(client):
    """Ids of requests: those of live calls, and made-up ones of any day."""
    ids = []
    for query in ("rollout=large&limit=20", *(f"to={days}d&limit=1" for days in range(29))):
        ids += [row["insertion_id"] for row in json.loads(client.ask(f"/v1/logs/requests?{query}")[1])["data"]]
    return ids


def questions(ids, chance):
    """Of each question a name, and how a path for it is made."""

    def value(key, rare=False):
        most = VALUES[key]
        number = chance.randrange(most * 9 // 10, most) if rare else int(chance.random() ** 2 * most)
        return f"metadata.key{key}=key{key}-value{number}"

    def moment():
        return (datetime.now(timezone.utc) - timedelta(minutes=chance.randrange(1500, 40_000))).strftime("%Y-%m-%dT%H:%M:%SZ")

    def several(low, high):
        return chance.randrange(low, high)

    grouped = "&measures=requests,errors,input_tokens,output_tokens,cost,latency_p50,latency_p99"
    filters = [
        ("no filter", lambda: f"to={moment()}"),
        ("a selective value", lambda: value(19)),
        ("a rare value of few", lambda: value(18, rare=True)),
        ("an unselective value", lambda: value(several(0, 5))),
        ("present, in every row", lambda: f"metadata.key{several(4, 16)}[present]"),
        ("present, in one row of 1,000", lambda: f"metadata.key16[present]&to={moment()}"),
        ("absent, in half of the rows", lambda: f"metadata.key17[absent]&to={moment()}"),
        ("absent, in one row of 1,000", lambda: f"metadata.key3[absent]&to={moment()}"),
        ("absent, in no row", lambda: f"metadata.key{several(4, 16)}[absent]&to={moment()}"),
        ("contains, few values", lambda: f"metadata.key{several(9, 17)}[contains]=value{several(1, 10)}"),
        ("contains, 100,000 values", lambda: f"metadata.key19[contains]=value{several(9000, 9999)}"),
        ("contains, no row", lambda: f"metadata.key19[contains]=never{several(0, 999)}"),
        ("starts with, 100,000 values", lambda: f"metadata.key19[starts_with]=key19-value{several(900, 999)}"),
        ("value and status", lambda: f"{value(several(0, 8))}&status=5xx"),
        ("selective value and status", lambda: f"{value(19)}&status=429"),
        ("value, status and a range", lambda: f"{value(several(5, 15))}&status=4xx&from=20d&to={several(1, 19)}d"),
        ("contains, status and a range", lambda: f"metadata.key19[contains]=value{several(900, 999)}&status=5xx&from=24h"),
        ("not a value, status", lambda: f"metadata.key{several(0, 9)}[ne]=key0-value0&status=404&to={moment()}"),
        ("value and a latency of none", lambda: f"{value(several(0, 5))}&latency[gte]=59995&to={moment()}"),
        ("two values that no row has", lambda: f"{value(19, rare=True)}&user=user{several(450, 500)}"),
        ("a rollout", lambda: f"rollout=rollout{several(0, 2000)}"),
    ]
    groups = [
        ("model", "group_by=model"),
        ("environment", "group_by=metadata.key0"),
        ("1,000 values", "group_by=metadata.key18"),
        ("100,000 values", "group_by=metadata.key19"),
    ]

    def chart(interval, query):
        return f"/v1/metrics/query?from=24h&interval={interval}&{query}{grouped}"

    def metrics(query):
        filtered = f"&{value(3)}" if chance.random() < 0.3 else ""
        return f"{PROJECT}/metrics?from=24h&{query}{filtered}"

    for name, query in filters:
        yield f"`/v1/logs/requests`: {name}", lambda query=query: "/v1/logs/requests?limit=50&" + query()
    for name, query in groups:
        yield f"`/v1/metrics/query`: 24 h by {name}", lambda query=query: chart(f"{several(20, 61)}m", query)
    yield "`/v1/metrics/query`: 24 h by user, filtered", lambda: chart("1h", f"group_by=user&{value(several(0, 9))}")
    yield "overview", lambda: PROJECT + chance.choice(["", "?from=24h", "?from=6h", "?from=1h"])
    yield "rollouts", lambda: f"{PROJECT}/rollouts"
    searches = [lambda: f"prefix=live-{several(0, 40)}", lambda: f"tag=run_id:run-{several(0, 4)}"]
    yield "rollouts, searched", lambda: f"{PROJECT}/rollouts?" + chance.choice(searches)()
    yield "a rollout", lambda: f"{PROJECT}/rollouts/live-{several(0, ROLLOUTS)}"
    yield "a rollout of 2,000", lambda: f"{PROJECT}/rollouts/large"
    for name, query in [("no filter", lambda: ""), *filters[1:]]:
        yield f"requests: {name}", lambda query=query: f"{PROJECT}/requests?" + query()
    yield "a completion", lambda: f"{PROJECT}/requests/{chance.choice(ids)}"
    yield "metrics", lambda: f"{PROJECT}/metrics?from={chance.choice(['24h', '6h'])}"
    for name, query in groups:
        yield f"metrics by {name}", lambda query=query: metrics(query)
    yield "values for the filter's form", lambda: f"{PROJECT}/suggestions?key=key{several(0, 20)}"
    yield "rules", lambda: f"{PROJECT}/rules" + chance.choice(["", "?from=1h", "?from=24h"])
    yield "queue", lambda: f"{PROJECT}/queue"
    kinds = ["", "?kind=key.used", "?kind=rule.audited&from=7d"]
    yield "audit", lambda: f"{PROJECT}/audit" + chance.choice([*kinds, f"?account=account{several(0, 200)}"])


def empty_cache():
    """Whether the system's cache of files could be emptied."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
        return True
    except OSError:
        return False


def measure(client, name, path, times):
    client.milliseconds(path())
    found = sorted(client.milliseconds(path()) for _ in range(times))
    cold = f"{client.milliseconds(path()):.0f}" if empty_cache() else "–"
    median, late = found[len(found) // 2], found[min(len(found) - 1, len(found) * 95 // 100)]
    print(f"| {name} | {median:.0f} | {late:.0f} | {found[-1]:.0f} | {cold} |", flush=True)


def main():
    executable, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    times = int(sys.argv[3]) if len(sys.argv) > 3 else 25
    only = sys.argv[4] if len(sys.argv) > 4 else ""
    with serving(executable, folder) as (client, _):
        chance = random.Random(1)
        print("| question | p50 ms | p95 ms | max ms | cold ms |\n|---|---|---|---|---|", flush=True)
        for name, path in questions(completions(client), chance):
            if only in name:
                measure(client, name, path, times)


main()
