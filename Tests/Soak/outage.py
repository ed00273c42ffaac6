"""The trace store is away for an hour while completions go on and forwarders die; then every completion must have its trace. See README.md.

The one argument is the gateway's executable; MINUTES, RATE and ROLLOUTS come from the environment, as `make outage NAME=value` sets them.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What the benchmark and the client tests have already: processes, tables, a provider.
sys.path += [str(HERE.parents[1] / "Benchmarks"), str(HERE.parent / "Clients")]

import questions
from fleet import Fleet
from machine import output
from processes import SystemFailed, ask
from report import Report
from settings import number

# A forwarder is killed that often, in seconds; a look at the gateway is taken that often.
KILL_EVERY, LOOK_EVERY = 300, 60
# Every so many-th completion fails at its provider, and every so many-th is a stream.
FAILING, STREAMING = 50, 3
BEFORE = 10
# In the end a rollout's traces are asked for in one page, of a thousand.
MOST_IN_ROLLOUT = 980


class Outage:
    def __init__(self, executable, directory):
        self.minutes, self.rate, self.rollouts = number("MINUTES", 61), number("RATE", 5), number("ROLLOUTS", 20)
        # The model answers within the forwarder: no provider is called.
        self.fleet = Fleet(executable, directory, lambda account: f"http://127.0.0.1:9/{account}/v1")
        self.succeeded = {f"outage-{index}": set() for index in range(self.rollouts)}
        self.failed = self.broken = self.kills = 0
        # The most that was seen: bytes and entries that wait in the outbox, MiB of Redis.
        self.most = {"bytes": 0, "entries": 0, "MiB": 0}
        self.verdicts, self.violations = {}, []
        self.away = self.settled = self.members = 0
        if self.minutes * 60 * self.rate > MOST_IN_ROLLOUT * self.rollouts:
            sys.exit(f"error: ROLLOUTS: `{self.rollouts}` are too few for {self.minutes} min at {self.rate} a second; each may have {MOST_IN_ROLLOUT}")

    async def run(self):
        await self.fleet.start()
        loading = asyncio.create_task(self._load())
        await asyncio.sleep(BEFORE)
        self.fleet.store.kill()
        began = time.monotonic()
        while time.monotonic() < began + self.minutes * 60:
            await asyncio.sleep(min(LOOK_EVERY, self.minutes * 60))
            await self._look()
            if time.monotonic() > began + KILL_EVERY * (self.kills + 1):
                self._kill_forwarder()
        self.away = time.monotonic() - began
        await self.fleet.start_store()
        back = time.monotonic()
        # What comes after the outage is traced beside what waited.
        await asyncio.sleep(BEFORE)
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await self._check()
        self.settled = time.monotonic() - back

    async def _load(self):
        """`rate` completions a second, each within its turn; a client does not wait for another's answer."""
        count, began, calls = 0, time.monotonic(), set()
        try:
            while True:
                call = asyncio.create_task(self._complete(count))
                calls.add(call)
                call.add_done_callback(calls.discard)
                count += 1
                await asyncio.sleep(max(0, began + count / self.rate - time.monotonic()))
        finally:
            await asyncio.gather(*calls)

    async def _complete(self, count):
        rollout = f"outage-{count % self.rollouts}"
        path = f"/v1/rollout_id/{rollout}/invocation_id/i/experiment_id/e/run_id/r/row_id/{count}/chat/completions"
        model = "mock/echo?status=500" if count % FAILING == 0 else "mock/echo"
        body = {"model": model, "stream": count % STREAMING == 0, "messages": [{"role": "user", "content": f"completion {count}"}]}
        headers = {"Content-Type": "application/json"}
        answer = await asyncio.to_thread(ask, self.fleet.ingresses[count % 2].port, "POST", path, json.dumps(body), headers)
        status = answer[0] if answer else None
        if status == 200:
            self.succeeded[rollout].add(count)
        else:
            self.failed += 1
            self.broken += status != 500 or count % FAILING != 0

    def _kill_forwarder(self):
        self.fleet.forwarders.pop(0).kill()
        self.fleet.start_forwarder()
        self.kills += 1

    async def _look(self):
        """The outbox, and what is said of a rollout: never that it is complete, for nothing of it can be traced now."""
        with self.fleet.look() as redis:
            self.most["bytes"] = max(self.most["bytes"], int(redis("GET", "gateway/trace/bytes") or 0))
            self.most["entries"] = max(self.most["entries"], redis("XLEN", "gateway/traces/soak"))
            self.most["MiB"] = max(self.most["MiB"], int(redis.info("memory")["used_memory"]) // 2**20)
        answer = await asyncio.to_thread(ask, self.fleet.ingresses[0].port, "GET", "/v1/rollouts/outage-0")
        if answer is None:
            said = "no answer"
        elif answer[0] != 200:
            said = f"{answer[0]} {json.loads(answer[1])['error'].get('code')}"
        else:
            said = json.loads(answer[1])["verdict"]
        self.verdicts[said] = self.verdicts.get(said, 0) + 1
        if said == "complete":
            self.violations.append(f"complete while the trace store was away: {answer[1]}")

    async def _check(self):
        with self.fleet.look() as redis:
            members = {rollout: redis("SMEMBERS", rollout) for rollout in self.succeeded}
        for rollout, counts in self.succeeded.items():
            if len(members[rollout]) < len(counts):
                self.violations.append(f"{rollout}: {len(counts)} have succeeded, and {len(members[rollout])} ids are in its set")
        self.violations += await questions.check_in_the_end(self.fleet.ingresses[0].port, members)
        self.members = sum(map(len, members.values()))

    def report(self, executable):
        report = Report()
        succeeded = sum(map(len, self.succeeded.values()))
        rows = [
            ("gateway", f"{output(executable, '--version')}, commit {output('git', '-C', HERE, 'describe', '--always', '--dirty')}"),
            ("the trace store was away", f"{self.away / 60:.1f} min"),
            ("completions that succeeded, failed", f"{succeeded}, {self.failed} (unplanned: {self.broken})"),
            ("ids in the sets of their rollouts, all with their traces if nothing is said below", str(self.members)),
            ("forwarders killed meanwhile", str(self.kills)),
            ("most in the outbox", f"{self.most['entries']} entries, {self.most['bytes'] / 2**20:.1f} MiB; Redis at most {self.most['MiB']} MiB"),
            ("said of a rollout meanwhile", ", ".join(f"{said}: {count}" for said, count in self.verdicts.items())),
            ("from the store's return until every rollout is complete", f"{self.settled:.0f} s, of which {BEFORE} under load"),
        ]
        report.table(["outage", ""], rows)
        report.section(f"Violations: {len(self.violations)}")
        report.write(*(f"- {violation}" for violation in self.violations[:40]))


def main():
    executable = Path(sys.argv[1]).resolve()
    directory = Path(tempfile.mkdtemp(prefix="outage-"))
    outage = Outage(executable, directory)
    print(f"The trace store goes away for {outage.minutes} min; logs in {directory}", flush=True)
    try:
        asyncio.run(outage.run())
    except KeyboardInterrupt:
        return 130
    except SystemFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    finally:
        outage.fleet.stop()
    outage.report(executable)
    if not outage.violations:
        shutil.rmtree(directory / "appendonlydir", ignore_errors=True)
    return 1 if outage.violations else 0


if __name__ == "__main__":
    sys.exit(main())
