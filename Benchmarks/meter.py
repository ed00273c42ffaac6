"""What processes use, as /proc tells it (proc(5)): CPU time, changes of thread and resident memory, by role."""

import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    cpu_seconds: float = 0
    switches: int = 0
    resident_kib: int = 0
    peak_kib: int = 0


def cpu_seconds(process_id):
    """The process's own time, and that of its children that have ended: Redis rewrites its append-only file in such a child."""
    # The name of the program stands in parentheses and may hold spaces; utime, stime, cutime and cstime are the 12th to 15th fields behind it.
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS_A_SECOND


def status(folder, *names):
    """The numbers of these names that stand in a process's or a thread's folder."""
    fields = dict(line.split(":", 1) for line in Path(f"{folder}/status").read_text().splitlines())
    return tuple(int(fields[name].split()[0]) for name in names)


def memory(process_id):
    return status(f"/proc/{process_id}", "VmRSS", "VmHWM")


def switches(process_id):
    """How often each thread of the process has given its core away: to wait, or because its time was up."""
    counts = {}
    threads = f"/proc/{process_id}/task"
    for thread in os.listdir(threads):
        # It may have ended since.
        with suppress(OSError):
            counts[thread] = sum(status(f"{threads}/{thread}", "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"))
    return counts


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
                self._processes[process_id] = role, cpu_seconds(process_id), switches(process_id)

    @property
    def process_ids(self):
        """Those of each role."""
        ids = defaultdict(list)
        for process_id, (role, *_) in self._processes.items():
            ids[role].append(process_id)
        return dict(ids)

    def read(self):
        """The usage of each role, summed over its processes."""
        for child in self._children:
            if child.has_ended:
                raise child.failure("ended under load")
        usages = defaultdict(Usage)
        for process_id, (role, spent_before, switches_before) in self._processes.items():
            with suppress(OSError):
                spent = cpu_seconds(process_id) - spent_before
                resident, peak = memory(process_id)
                usage = usages[role]
                usage.cpu_seconds += spent
                # Those of a thread that has ended are lost.
                usage.switches += sum(count - switches_before.get(thread, 0) for thread, count in switches(process_id).items())
                usage.resident_kib += resident
                usage.peak_kib += peak
        return dict(usages)
