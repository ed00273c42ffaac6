"""Measures the embedded trace store: spans a second that it takes, and how long a page takes once they are stored.

    python3 Benchmarks/tracestore.py .build/release/metadata-gateway [SPANS]

Without SPANS there are 1,000,000, in rollouts of 100,000. Needs nothing but Python; about 1.5 GB of disk a million spans, in a temporary folder.
"""

import base64
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid

BATCH = 500
WRITERS = 2
ROLLOUT = 100_000
PAGES = 30
START = int(time.time() * 1000) - 3_600_000
AUTHORIZATION = {"Authorization": "Basic " + base64.b64encode(b"pk-lf-bench:sk-lf-bench").decode()}
MESSAGES = json.dumps(json.dumps([{"role": "user", "content": "What is the answer to this question? " * 20}]))
ANSWER = json.dumps(json.dumps({"role": "assistant", "content": "It is this and not that. " * 15}))


def trace_id(number):
    return f"{START + number // 10:012x}7{number % 4096:03x}8{number:015x}"


def rollout(number):
    return f"rollout-{number // ROLLOUT}"


def span(number):
    trace, start = trace_id(number), START + number // 10
    tags = [f"rollout_id:{rollout(number)}", f"insertion_id:{uuid.UUID(trace)}", "invocation_id:i", "experiment_id:e", "run_id:r", f"row_id:{number % 500}"]
    values = ",".join('{"stringValue":"%s"}' % tag for tag in tags)
    return (
        '{"traceId":"%s","spanId":"%s","name":"litellm_request","kind":3,"startTimeUnixNano":"%d000000","endTimeUnixNano":"%d000000","attributes":['
        '{"key":"langfuse.observation.type","value":{"stringValue":"generation"}},{"key":"session.id","value":{"stringValue":"%s"}},'
        '{"key":"langfuse.trace.name","value":{"stringValue":"litellm-acompletion"}},{"key":"langfuse.observation.model.name","value":{"stringValue":"m"}},'
        '{"key":"langfuse.observation.usage_details","value":{"stringValue":"{\\"input\\":5,\\"output\\":1,\\"total\\":6}"}},'
        '{"key":"langfuse.trace.tags","value":{"arrayValue":{"values":[%s]}}},{"key":"langfuse.observation.input","value":{"stringValue":%s}},'
        '{"key":"langfuse.observation.output","value":{"stringValue":%s}}],"status":{"code":1}}'
        % (trace, trace[16:], start, start + 900, rollout(number), values, MESSAGES, ANSWER)
    )


def export(first):
    spans = ",".join(span(number) for number in range(first, first + BATCH))
    return ('{"resourceSpans":[{"scopeSpans":[{"scope":{"name":"bench"},"spans":[%s]}]}]}' % spans).encode()


class Store:
    """`metadata-gateway tracestore` in a folder of its own."""

    def __init__(self, program, folder):
        secrets = os.path.join(folder, "secrets.yaml")
        with open(secrets, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            json.dump({"langfuse_keys": {"bench": {"public_key": "pk-lf-bench", "secret_key": "sk-lf-bench"}}}, file)
        environment = {"PATH": os.environ["PATH"], "DATA_DIR": folder + "/data", "SECRETS_PATH": secrets, "TRACESTORE_PORT": "0"}
        self.data = folder + "/data"
        self.process = subprocess.Popen([program, "tracestore"], env=environment, stdout=subprocess.PIPE, text=True)
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", self.process.stdout.readline()).group(1))

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def memory(self):
        """Bytes that the process holds: now, and at most so far."""
        with open(f"/proc/{self.process.pid}/status") as status:
            sizes = dict(line.split(":", 1) for line in status)
        return [int(sizes[name].split()[0]) >> 10 for name in ("VmRSS", "VmHWM")]

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write(store, count):
    """Exports all spans over a few connections. Making the bodies is Python's work and takes its time; so the store's own CPU is told too."""
    firsts = iter(range(0, count, BATCH))
    lock = threading.Lock()

    def run():
        connection = store.connection()
        while True:
            with lock:
                first = next(firsts, None)
            if first is None:
                return
            connection.request("POST", "/api/public/otel/v1/traces", export(first), {**AUTHORIZATION, "Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body

    began, cpu = time.monotonic(), store.cpu()
    writers = [threading.Thread(target=run) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return time.monotonic() - began, store.cpu() - cpu


def read(connection, path, **parameters):
    began = time.monotonic()
    connection.request("GET", f"/api/public/{path}?{urllib.parse.urlencode(parameters)}", headers=AUTHORIZATION)
    answer = connection.getresponse()
    body = answer.read()
    took = (time.monotonic() - began) * 1000
    assert answer.status == 200, body
    return took, json.loads(body)


def pages(connection, count):
    """Milliseconds of pages of each kind."""
    def condition(kind, column, values):
        return json.dumps([{"type": kind, "column": column, "operator": "any of", "value": values}])

    def iso(milliseconds):
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds / 1000)) + "Z"

    window = {"fromStartTime": iso(START - 60_000), "toStartTime": iso(START + count // 10 + 60_000)}
    some = max(count // ROLLOUT // 2, 0)
    tag = condition("arrayOptions", "tags", [f"rollout_id:rollout-{some}"])
    for fields in ("core,trace_context", "core,basic,time,io,model,usage,metrics,trace_context"):
        cursor, times = {}, []
        for _ in range(PAGES):
            took, page = read(connection, "v2/observations", limit=1000, fields=fields, filter=tag, **window, **cursor)
            assert len(page["data"]) == 1000
            cursor = {"cursor": page["meta"]["cursor"]}
            times.append(took)
        yield f"1,000 rows by tag, {fields}", times
    ids = [[trace_id((number * 7919 + batch * 104_729) % count) for number in range(250)] for batch in range(PAGES)]
    yield "250 trace ids", [
        read(connection, "v2/observations", limit=1000, fields="core,trace_context", filter=condition("stringOptions", "traceId", batch), **window)[0]
        for batch in ids
    ]
    query = {
        "view": "observations", "metrics": [{"measure": "count", "aggregation": "count"}], "filters": json.loads(tag),
        "fromTimestamp": window["fromStartTime"], "toTimestamp": window["toStartTime"],
    }
    yield "count of a rollout", [read(connection, "v2/metrics", query=json.dumps(query))[0] for _ in range(5)]
    yield "100 traces (older API, core)", [
        read(connection, "traces", limit=100, page=page + 1, fields="core", tags=f"rollout_id:rollout-{some}")[0] for page in range(5)
    ]


def main():
    program, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        store = Store(program, folder)
        try:
            seconds, cpu = write(store, count)
            size = sum(entry.stat().st_size for entry in os.scandir(store.data)) >> 20
            print(f"{count:,} spans in {seconds:.1f} s: {count / seconds:,.0f} a second, {cpu / count * 1e6:.0f} µs of the store's CPU each; {size:,} MiB of files")
            print("memory: {} MiB, at most {} MiB".format(*store.memory()))
            connection = store.connection()
            for title, times in pages(connection, count):
                print(f"{title}: median {statistics.median(times):.1f} ms, slowest {max(times):.1f} ms of {len(times)}")
            print("memory: {} MiB, at most {} MiB".format(*store.memory()))
        finally:
            store.stop()


main()
