"""Memory and descriptors of the processes over time, and whether they stay flat."""

import asyncio
import os
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from statistics import linear_regression

from meter import memory

INTERVAL = 5
# Processes that lived less are not judged, in seconds.
LONG_LIFE = 100
# What a process may grow by over the second half of its life, by the line through its samples: in MiB, what its allocator may still take, and what
# it may gain a minute beyond that; in descriptors likewise.
ALLOWED_MIB, ALLOWED_MIB_A_MINUTE = 6, 0.4
# A forwarder's memory rises until its allocator has met the largest answers side by side: in a release to some 68 MiB
# within a minute of the usual load, in a debug build within some minutes. Before that many seconds it may take so many
# MiB.
WARM_UP, ALLOWED_MIB_WARMING = 300, 16
ALLOWED_DESCRIPTORS, ALLOWED_DESCRIPTORS_A_MINUTE = 30, 0.5
# The trace store's memory rises for many minutes, while SQLite's cache fills, to an end: it is judged by that. A million spans took 113.
MOST_MIB = {"tracestore": 160}


@dataclass
class Sample:
    second: float
    mib: float
    descriptors: int


@dataclass
class Course:
    """How one process's memory and descriptors went."""

    role: str
    samples: list

    @property
    def life(self):
        return self.samples[-1].second - self.samples[0].second

    @property
    def second_half(self):
        return self.samples[len(self.samples) // 2 :]

    def slope(self, name):
        """Per minute, over the second half."""
        half = self.second_half
        return 60 * linear_regression([sample.second for sample in half], [getattr(sample, name) for sample in half]).slope

    def violations(self):
        most = next((mib for kind, mib in MOST_MIB.items() if self.role.startswith(kind)), None)
        if most and max(sample.mib for sample in self.samples) > most:
            yield f"{self.role} takes more than {most} MiB"
        minutes = (self.second_half[-1].second - self.second_half[0].second) / 60
        is_warm = self.second_half[0].second - self.samples[0].second >= WARM_UP
        for name, allowed, a_minute in (
            ("mib", ALLOWED_MIB if is_warm else ALLOWED_MIB_WARMING, ALLOWED_MIB_A_MINUTE),
            ("descriptors", ALLOWED_DESCRIPTORS, ALLOWED_DESCRIPTORS_A_MINUTE),
        ):
            if most and name == "mib":
                continue
            if self.slope(name) * minutes > allowed + a_minute * minutes:
                yield f"{self.role} grows by {self.slope(name):.2f} {name} a minute over {minutes:.1f} minutes"


class Sampler:
    def __init__(self, fleet):
        self._fleet = fleet
        self._samples = defaultdict(list)
        self._began = time.monotonic()

    async def run(self):
        while True:
            self.take()
            await asyncio.sleep(INTERVAL)

    def take(self):
        for process in self._fleet.processes:
            with suppress(OSError, KeyError):
                if process.status is None:
                    resident = memory(process.process_id)[0] / 1024
                    descriptors = len(os.listdir(f"/proc/{process.process_id}/fd"))
                    self._samples[process.role].append(Sample(time.monotonic() - self._began, resident, descriptors))

    @property
    def courses(self):
        """Of the processes that lived long; Redis's memory grows by what it is there to keep."""
        courses = [Course(role, samples) for role, samples in self._samples.items()]
        return [course for course in courses if course.life >= LONG_LIFE and not course.role.startswith("redis")]
