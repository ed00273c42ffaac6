"""What processes use, as /proc tells it (proc(5)): CPU time and resident memory, by role."""

import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    cpu_seconds: float = 0
    resident_kib: int = 0
    peak_kib: int = 0


def cpu_seconds(process_id):
    """The process's own time, and that of its children that have ended: Redis rewrites its append-only file in such a child."""
    # The name of the program stands in parentheses and may hold spaces; utime, stime, cutime and cstime are the 12th to 15th fields behind it.
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS_A_SECOND


def memory(process_id):
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process_id}/status").read_text().splitlines())
    return tuple(int(status[name].split()[0]) for name in ("VmRSS", "VmHWM"))


def role_of(process_id, child):
    """The child's, but for the Redis that `serve` starts."""
    return "redis" if Path(f"/proc/{process_id}/comm").read_text().startswith("redis") else child.role


class Meter:
    """Measures from its making on: the peaks of memory start anew."""

    def __init__(self, children):
        self._children = children
        self._processes = {}
        for child in children:
            self._add(child)

    def _add(self, child):
        has_redis = False
        for process_id in child.process_ids:
            # What the child started may end at any time.
            with suppress(OSError):
                role = role_of(process_id, child)
                # A second one is the first one's fork: the same memory once more, and its time counts once it has ended.
                if role == "redis" and has_redis:
                    continue
                has_redis = role == "redis"
                # "5" puts the peak of resident memory back to its present value.
                Path(f"/proc/{process_id}/clear_refs").write_text("5")
                self._processes[process_id] = role, cpu_seconds(process_id)

    def read(self):
        """The usage of each role, summed over its processes."""
        for child in self._children:
            if child.has_ended:
                raise child.failure("ended under load")
        usages = defaultdict(Usage)
        for process_id, (role, began) in self._processes.items():
            with suppress(OSError):
                spent = cpu_seconds(process_id) - began
                resident, peak = memory(process_id)
                usage = usages[role]
                usage.cpu_seconds += spent
                usage.resident_kib += resident
                usage.peak_kib += peak
        return dict(usages)
