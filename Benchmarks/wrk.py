"""Load by wrk, and what the processes behind it used meanwhile."""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from meter import Meter
from processes import SystemFailed
from system_calls import Counter, can_be_counted
from systems import KEY

# Seconds of a run in which system calls are counted, at most.
COUNTING = 2


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
    # A request, by role; counted in another run, if at all.
    system_calls: dict = field(default_factory=dict)

    @property
    def rate(self):
        return self.requests / self.seconds

    @property
    def cpu_micros(self):
        """CPU time a request, by role."""
        return {role: usage.cpu_seconds / max(self.requests, 1) * 1e6 for role, usage in self.usages.items()}

    @property
    def own_cpu_micros(self):
        """The system's, without the upstream's."""
        return sum(micros for role, micros in self.cpu_micros.items() if role != "upstream")

    @property
    def switches(self):
        """Changes of thread a request, by role."""
        return {role: usage.switches / max(self.requests, 1) for role, usage in self.usages.items()}

    @property
    def peak_mib(self):
        return {role: usage.peak_kib / 1024 for role, usage in self.usages.items()}


def run(system, connections, seconds, body=None, wrap=list):
    """What wrk with one thread counted; without a body, of short calls. `wrap` makes a command of wrk's."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(body or system.request_body())
        file.flush()
        script = Path(__file__).parent / "wrk.lua"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script, system.url, "--", system.path, file.name, KEY]
        try:
            ended = subprocess.run(wrap(command), capture_output=True, text=True, timeout=seconds + 60)
        except subprocess.TimeoutExpired as error:
            raise SystemFailed(f"wrk did not end against {system.name}") from error
    lines = [line for line in ended.stdout.splitlines() if line.startswith("{")]
    if ended.returncode or not lines:
        raise SystemFailed(f"wrk failed against {system.name}: {ended.stderr or ended.stdout}")
    return json.loads(lines[-1])


def load(system, connections, seconds, body=None):
    """One run of wrk, and what the processes used meanwhile."""
    meter = Meter(system.measured)
    counted = run(system, connections, seconds, body)
    return Result(**counted, usages=meter.read())


def system_calls(system, connections, seconds):
    """System calls a request by role, in a short run of their own: counting disturbs. None where they cannot be counted."""
    if not can_be_counted():
        return {}
    with Counter(Meter(system.measured).process_ids) as counter:
        requests = run(system, connections, min(seconds, COUNTING), wrap=counter.wrap)["requests"]
        return {role: count / max(requests, 1) for role, count in counter.read().items()}


def get(url, connections, seconds):
    """Answers a second to the same GET; all of them must be 2xx."""
    run = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url], capture_output=True, text=True, timeout=seconds + 60)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", run.stdout)
    if run.returncode or not rate or "Non-2xx" in run.stdout:
        raise SystemFailed(f"wrk failed against {url}: {run.stderr or run.stdout}")
    return float(rate.group(1))


def warm_up(system, seconds):
    load(system, 8, min(seconds, 3))
