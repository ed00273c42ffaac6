"""Load by wrk, and what the processes behind it used meanwhile."""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from meter import Meter
from processes import SystemFailed
from systems import KEY


@dataclass(frozen=True)
class Result:
    requests: int
    seconds: float
    # Milliseconds.
    p50: float
    p99: float
    max: float
    # Answers that were not 2xx, and connections that failed.
    bad_status: int
    broken: int
    usages: dict

    @property
    def rate(self):
        return self.requests / self.seconds

    @property
    def cpu_micros(self):
        """CPU time a request, by role."""
        return {role: usage.cpu_seconds / max(self.requests, 1) * 1e6 for role, usage in self.usages.items()}

    @property
    def peak_mib(self):
        return {role: usage.peak_kib / 1024 for role, usage in self.usages.items()}


def load(system, connections, seconds, body=None):
    """One run of wrk with one thread; without a body, of short calls."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(body or system.request_body())
        file.flush()
        script = Path(__file__).parent / "wrk.lua"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script, system.url, "--", system.path, file.name, KEY]
        meter = Meter(system.measured)
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
        except subprocess.TimeoutExpired as error:
            raise SystemFailed(f"wrk did not end against {system.name}") from error
        usages = meter.read()
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    if run.returncode or not lines:
        raise SystemFailed(f"wrk failed against {system.name}: {run.stderr or run.stdout}")
    return Result(**json.loads(lines[-1]), usages=usages)


def get(url, connections, seconds):
    """Answers a second to the same GET; all of them must be 2xx."""
    run = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url], capture_output=True, text=True, timeout=seconds + 60)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", run.stdout)
    if run.returncode or not rate or "Non-2xx" in run.stdout:
        raise SystemFailed(f"wrk failed against {url}: {run.stderr or run.stdout}")
    return float(rate.group(1))


def warm_up(system, seconds):
    load(system, 8, min(seconds, 3))
