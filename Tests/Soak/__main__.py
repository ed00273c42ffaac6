"""Mixed load on the gateway's parts while they are killed, frozen and stopped at random; then every fact is checked. See README.md.

The one argument is the gateway's executable; DURATION, SEED and WORKERS come from the environment, as `make soak NAME=value` sets them.
"""

import asyncio
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What the benchmark and the client tests have already: processes, tables, and a provider over real sockets.
sys.path += [str(HERE.parents[1] / "Benchmarks"), str(HERE.parent / "Clients")]

import leftovers
import questions
import summary
import withheld
from chaos import Chaos
from client import Client
from facts import Facts
from fleet import REQUEST_TIMEOUT, Fleet
from lateness import Lateness
from machine import output
from planned_provider import PlannedProvider
from processes import SystemFailed
from report import Report
from samples import Sampler
from settings import number
from worker import Worker

RESULTS = HERE / "results"
MOST_LISTED = 40


class Soak:
    def __init__(self, executable, directory):
        self.duration, self.workers = number("DURATION", 1800), number("WORKERS", 48)
        self.seed = number("SEED", random.randrange(1, 10**6))
        self.completions, self.questions = [], []
        self._began, self._directory = time.monotonic(), directory
        self._events = (directory / "chaos.log").open("w")
        self.provider = PlannedProvider()
        self.fleet = Fleet(executable, directory, self.provider.url_of)
        self.chaos = Chaos(self.fleet, self.seed, self.log)
        self.sampler = Sampler(self.fleet)
        self.lateness = Lateness()
        self.facts = None
        self.letters = self.redis_mib = 0

    def log(self, line):
        text = f"{datetime.now(timezone.utc):%H:%M:%S.%f} {time.monotonic() - self._began:7.1f} s  {line}"
        print(text, file=self._events, flush=True)

    async def run(self):
        """All violations."""
        await self.fleet.start()
        watching = [asyncio.create_task(watch) for watch in (self.sampler.run(), self.lateness.run())]
        client = Client(self.fleet)
        try:
            deadline = time.monotonic() + self.duration
            workers = [Worker(index, self.seed, client, self.completions, self.questions).run(deadline) for index in range(self.workers)]
            await asyncio.gather(self.chaos.run(self.duration), *workers)
        finally:
            await client.close()
            for task in watching:
                task.cancel()
        self.log("the load is over")
        found = await self._settle()
        found += await self._ask_in_the_end()
        return found + self._check()

    async def _settle(self):
        """Waits until nothing runs any more. All that was accepted has ended by then, or never will."""
        deadline = time.monotonic() + REQUEST_TIMEOUT + 30
        with self.fleet.look() as redis:
            while not (leftovers.is_idle(redis) and not self.provider.running and not leftovers.check_ingresses(self.fleet)):
                if time.monotonic() > deadline:
                    return ["not idle long after the load's end", *leftovers.check_ingresses(self.fleet)]
                await asyncio.sleep(0.5)
            # The lives of those that ended take 15 seconds to end, and what a dead exporter had is taken over after a minute. What is not right by then is
            # found by the check.
            deadline = time.monotonic() + 100
            while (leftovers.check_swept(redis, self.fleet) or leftovers.spans_wait(redis)) and time.monotonic() < deadline:
                await asyncio.sleep(0.5)
        return []

    async def _ask_in_the_end(self):
        """Every id has its trace by now or gets it by itself, whatever was killed, and the gateway knows it."""
        with self.fleet.look() as redis:
            members = {rollout: redis("SMEMBERS", rollout) for rollout in {completion.rollout for completion in self.completions}}
        traces = withheld.Traces(self.completions)
        return await questions.check_in_the_end(self.fleet.ingresses[0].port, members, withheld.FIELDS, traces.judge)

    def _check(self):
        self.facts = Facts(self.fleet, self.chaos, self.completions, self.provider.records, self.lateness)
        rollouts = {completion.rollout for completion in self.completions}
        with self.fleet.look() as redis:
            found = self.facts.check(lambda rollout: redis("SMEMBERS", rollout))
            found += leftovers.check_redis(redis, self.fleet, rollouts)
            self.redis_mib = int(redis.info("memory")["used_memory"]) / 2**20
            unexplained, letters = leftovers.check_dead_letters(redis, len(self.chaos.events))
        self.letters = len(letters)
        found += withheld.check_dead_letters(letters, self.completions)
        found += withheld.check_files(self._directory, self.completions)
        for process in self.fleet.processes:
            if process.status is not None and not process.losses:
                found.append(f"{process.role} ended by itself with status {process.status}")
        found += [violation for course in self.sampler.courses for violation in course.violations()]
        found += [question.violation for question in self.questions if question.violation]
        return found + unexplained + self.chaos.violations + self.provider.violations

    def stop(self):
        """Safe to call whatever has begun."""
        self.fleet.stop()
        self.provider.stop()
        self._events.close()


def write_report(soak, executable, directory, violations):
    report = Report()
    rows = [
        ("date", datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")),
        ("gateway", f"{output(executable, '--version')}, commit {output('git', '-C', HERE, 'describe', '--always', '--dirty')}"),
        ("duration, seed, workers", f"{soak.duration} s, {soak.seed}, {soak.workers}"),
        ("load of the machine at the end", f"{os.getloadavg()[0]:.2f}"),
        ("logs", directory),
    ]
    report.table(["soak", ""], rows)
    summary.write(report, soak)
    report.section(f"Violations: {len(violations)}")
    report.write(*(f"- {violation}" for violation in violations[:MOST_LISTED]))
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}.md"
    file.write_text(report.markdown)
    print(f"\nWritten to {file}")


async def run_until_told(soak):
    """SIGTERM ends a run as Ctrl-C does."""
    run = asyncio.current_task()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, run.cancel)
    return await soak.run()


def main():
    executable = Path(sys.argv[1]).resolve()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # A short path: one of the files in it is a Unix socket, whose path may have 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="soak-"))
    soak = Soak(executable, directory)
    print(f"Soak of {soak.duration} s with SEED={soak.seed}, {soak.workers} workers; logs in {directory}", flush=True)
    try:
        violations = asyncio.run(run_until_told(soak))
        write_report(soak, executable, directory, violations)
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("Interrupted", file=sys.stderr)
        return 130
    except SystemFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    finally:
        soak.stop()
    if not violations:
        # The evidence; without violations the logs will do.
        shutil.rmtree(directory / "appendonlydir", ignore_errors=True)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
