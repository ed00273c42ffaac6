"""System calls by role, as perf counts them (perf-stat(1)). Each call takes longer meanwhile: not for a run that is timed."""

import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

EVENT = "raw_syscalls:sys_enter"


def counted(command, process_ids, file):
    """The command, run by a perf that writes to the file how many calls the processes make meanwhile."""
    return ["perf", "stat", "-x,", "-o", file, "-e", EVENT, "-p", ",".join(map(str, process_ids)), "--", *command]


@cache
def can_be_counted():
    """Whether there is a perf here, and it may: it does so for a moment, with this process."""
    try:
        return subprocess.run(counted(["true"], [os.getpid()], os.devnull), capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


class Counter:
    """Counts while a command runs; with one perf a role, as one alone would tell only the sum."""

    def __init__(self, process_ids):
        self._process_ids = process_ids

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory()
        self._files = {role: Path(self._directory.name) / role for role in self._process_ids}
        return self

    def __exit__(self, *error):
        self._directory.cleanup()

    def wrap(self, command):
        for role, ids in self._process_ids.items():
            command = counted(command, ids, self._files[role])
        return command

    def read(self):
        """The calls of each role that made any."""
        counts = {}
        for role, file in self._files.items():
            # `1234,,raw_syscalls:sys_enter,…`, or `<not counted>` instead of the number.
            for line in file.read_text().splitlines():
                count, *rest = line.split(",")
                if EVENT in rest and count.isdigit():
                    counts[role] = int(count)
        return counts
