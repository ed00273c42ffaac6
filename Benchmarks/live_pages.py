"""Measures what the dashboard's pages cost while they are open, on a request log that RequestLogBench has filled.

    python3 Benchmarks/live_pages.py .build/release/metadata-gateway FOLDER [SECONDS] [WORDS]

FOLDER is the one that was filled; `serve` keeps its data there. WORDS stand in the names of the pages that are
measured; without them all are. Each page is opened as a browser does that shows it, STREAMS times at once. The table
tells the CPU time of gateway and Redis for SECONDS (default 120), less that of the same time without a page, as a part
of one core for one page; and how many events came, since a page is sent only if it has changed.
"""

import http.client
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from large_log import PROJECT, serving
from meter import Meter

STREAMS = 4
# Seconds before a measurement: the first turn of a page comes at once, and is not counted.
SETTLED = 5
PAGES = [
    ("overview", ""),
    ("rollouts", "/rollouts"),
    ("a rollout of 2,000", "/rollouts/large"),
    ("requests: no filter", "/requests"),
    ("requests: an unselective value", "/requests?metadata.key0=key0-value0"),
    ("requests: contains, no row", "/requests?metadata.key19[contains]=never"),
    ("requests: value and status", "/requests?metadata.key5=key5-value1&status=5xx"),
    ("metrics", "/metrics"),
    ("metrics by environment", "/metrics?group_by=metadata.key0"),
    ("metrics by 100,000 values", "/metrics?group_by=metadata.key19"),
    ("rules", "/rules"),
    ("queue", "/queue"),
    ("audit", "/audit"),
]


class OpenPage:
    """A page's event stream, read until it is closed."""

    def __init__(self, port, path):
        self.events = 0
        self.has_ended = False
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self._connection.request("GET", PROJECT + path, headers={"Accept": "text/event-stream"})
        self._answer = self._connection.getresponse()
        if self._answer.status != 200:
            raise SystemExit(f"{path}: {self._answer.status} {self._answer.read()[:500]}")
        self._socket = self._connection.sock
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        # The connection is closed in the middle of an answer.
        with suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while line := self._answer.readline():
                self.events += line.startswith(b"event: page")
        self.has_ended = True

    def close(self):
        with suppress(OSError):
            self._socket.shutdown(2)
        self._connection.close()


def spent(child, seconds):
    """The CPU time of a while: seconds of gateway and Redis together."""
    meter = Meter([child])
    time.sleep(seconds)
    return sum(usage.cpu_seconds for usage in meter.read().values())


def main():
    executable, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 120
    only = sys.argv[4] if len(sys.argv) > 4 else ""
    with serving(executable, folder) as (client, child):
        time.sleep(SETTLED)
        idle = spent(child, seconds)
        print(f"without a page: {idle / seconds:.2%} of a core\n", flush=True)
        print("| page | of a core | events |\n|---|---|---|", flush=True)
        for name, path in PAGES:
            if only not in name:
                continue
            pages = [OpenPage(client.port, path) for _ in range(STREAMS)]
            time.sleep(SETTLED)
            cost = (spent(child, seconds) - idle) / seconds / STREAMS
            if any(page.has_ended for page in pages):
                raise SystemExit(f"{path}: a stream has ended, so its page cost nothing")
            print(f"| {name} | {cost:.2%} | {sum(page.events for page in pages)} |", flush=True)
            for page in pages:
                page.close()


main()
