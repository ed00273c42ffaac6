"""A large rollout: when it is known to be complete, what that costs at the trace store, how often it can be asked, and what reading all of its traces takes."""

import http.client
import json
import math
import subprocess
import time
from dataclasses import replace

import upstreams
from meter import Meter
from processes import SystemFailed, Workshop, ask, free_port, wait_until
from report import by_role
from systems import SplitGateway
from wrk import get, load

PROJECT, ROLLOUT = "bench", "large"
PATH = f"/rollout_id/{ROLLOUT}/invocation_id/i/experiment_id/e/run_id/r/row_id/1/chat/completions"
QUESTION = f"/v1/rollouts/{ROLLOUT}"
CONNECTIONS = 64
# Of one question, in seconds; it is asked again until the rollout is complete.
PATIENCE = 60


def measure(options, report):
    if "gateway" not in options.systems:
        return
    report.section(
        "A large rollout",
        f"{options.completions:,} completions (COMPLETIONS) of one rollout over {CONNECTIONS} connections; `ingress`, `forwarder`, `verifier`, `tracestore` and Redis apart.",
    )
    rows = []
    with report.attempt("the large rollout"), Workshop() as workshop:
        upstream = upstreams.instant(workshop)
        port = free_port()
        store_port = free_port()
        log = count_requests(workshop, port, store_port)
        secrets = {"langfuse_keys": {PROJECT: {"public_key": "pk-lf-bench", "secret_key": "sk-lf-bench"}}, "default_project_id": PROJECT}
        gateway = SplitGateway(workshop, upstream, options, secrets, LANGFUSE_HOST=f"http://127.0.0.1:{port}")
        store = gateway.start("tracestore", TRACESTORE_PORT=str(store_port), DATA_DIR=str(workshop.directory / "traces"))
        wait_until(lambda: ask(store_port, "GET", "/api/public/health"), store, "answered")
        gateway.start("verifier")
        gateway.start_forwarder()
        gateway.system.wait_until_ready()
        for row in figures(gateway, log, options):
            rows.append(row)
    report.table(["", "", "target"], rows)


def count_requests(workshop, port, store_port):
    """nginx before the store: its log has a line for each request."""
    pool = f"upstream store {{ server 127.0.0.1:{store_port}; keepalive 64; }}"
    # The store answers to its own names alone (ALLOWED_HOSTS).
    headers = 'proxy_set_header Connection ""; proxy_set_header Host $http_host;'
    location = f"location / {{ proxy_pass http://store; proxy_http_version 1.1; {headers} access_log requests.log; }}"
    child = upstreams.start_nginx(workshop, "counter", 1, f"{pool} server {{ listen 127.0.0.1:{port}; {location} }}")
    wait_until(lambda: ask(port, "GET", "/"), child, "answered")
    return workshop.directory / "requests.log"


def figures(gateway, log, options):
    system = replace(gateway.system, path=PATH)

    def ask_redis(*command):
        return int(subprocess.run(["redis-cli", "-s", gateway.socket, *command], capture_output=True, text=True, check=True).stdout)

    def made():
        return ask_redis("SCARD", ROLLOUT)

    def questions():
        return sum(b'"GET /api/public/' in line for line in log.read_bytes().splitlines())

    began, rate, failed = time.monotonic(), 1000, 0
    while (left := options.completions - made()) > 0:
        result = load(system, CONNECTIONS, max(1, min(options.seconds, math.ceil(left / rate))))
        rate, failed = result.rate, failed + result.bad_status + result.broken
    count, took = made(), time.monotonic() - began
    yield ["completions made; failed", f"{count:,}; {failed}", ""]
    yield ["completions a second, traced", count / took, ""]
    began = time.monotonic()
    wait_until(lambda: ask_redis("XLEN", f"gateway/traces/{PROJECT}") == 0, gateway.system.children[0], "exported its traces")
    yield ["s from the last completion to the last export", time.monotonic() - began, ""]
    # Nobody has asked before.
    before, began = questions(), time.monotonic()
    complete(system.port, count)
    yield ["s to the verdict from nothing", time.monotonic() - began, "≤ 10"]
    yield ["requests to the trace store for it", questions() - before, "≤ 110"]

    before = questions()
    yield ["cached verdicts a second", get(f"{system.url}{QUESTION}", CONNECTIONS, options.seconds), "≥ 5,000"]
    yield ["requests to the trace store for them", questions() - before, "0"]

    meter, began = Meter(system.children), time.monotonic()
    traces, size = read_traces(system.port, count)
    took = time.monotonic() - began
    yield ["traces read through /traces", traces, f"{count:,}"]
    yield ["MiB of them; s", f"{size / 2**20:.0f}; {took:.1f}", ""]
    peaks = {role: usage.peak_kib / 1024 for role, usage in meter.read().items() if role in ("ingress", "verifier")}
    yield ["peak MiB meanwhile", by_role(peaks), "< 200 each"]


def complete(port, count):
    """Waits for the verdict."""
    for _ in range(5):
        status, body = ask(port, "GET", f"{QUESTION}?wait={PATIENCE}") or (0, b"")
        verdict = json.loads(body) if status == 200 else {}
        if (verdict.get("verdict"), verdict.get("expected"), verdict.get("traced")) == ("complete", count, count):
            return
    raise SystemFailed(f"the rollout is not complete: {status} {body[:500]}")


def read_traces(port, count):
    """How many traces there are in the answer, and its bytes. It is read as it comes and not kept."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", f"/v1/traces?tags=rollout_id:{ROLLOUT}&limit={count}")
    answer = connection.getresponse()
    # Once in each trace; the texts of requests and answers are strings, whose quotes are escaped.
    mark, traces, size, rest = b',"session_id":', 0, 0, b""
    while piece := answer.read(1 << 20):
        size += len(piece)
        text = rest + piece
        traces += text.count(mark)
        rest = text[-len(mark) + 1 :]
    connection.close()
    if answer.status != 200:
        raise SystemFailed(f"/traces answered {answer.status}: {text[:500]}")
    return traces, size
