"""Completions whose answers are fetched: by asking again and again, by long polls, or as a stream that goes on where it broke."""

import asyncio
import time

from client import PATIENCE, EventReader
from hearing import Verdict, conclude, error_code, judge, verdict_of
from plan import ERROR_EVENT

# Errors after which the same answer is asked for again: nothing was said about the job.
PASSING = {"queue_unavailable", "shutting_down", "no_answer_in_time"}


class Background:
    def __init__(self, worker, completion, location):
        self._worker, self._random = worker, worker.random
        self._completion, self._plan, self._location = completion, completion.plan, location
        self._events = EventReader()

    @classmethod
    async def make(cls, worker, completion, deletes=False):
        """Posts the completion, and fetches its answer if it was accepted."""
        hearing = await worker.post(completion, [("Prefer", "respond-async")])
        location = accept(hearing, completion)
        if location is None:
            return
        completion.job = hearing.id
        background = cls(worker, completion, location)
        if deletes:
            await asyncio.sleep(worker.random.uniform(0, 1.5))
            await worker.request("DELETE", location)
        await background.fetch()

    async def fetch(self):
        """Until the answer is there; then maybe once more, which must give the same."""
        first = await self._answer()
        if first is None:
            return self._completion.wrongs.append(f"the job {self._completion.job} was accepted and is not answered after {PATIENCE} s")
        self._completion.hearings.append(first)
        if first.verdict is Verdict.WRONG:
            return
        if self._random.random() < 0.4:
            again = await self._answer()
            if again is None or (again.verdict, again.call) != (first.verdict, first.call):
                self._completion.wrongs.append(f"asked again, the job {self._completion.job} gave {again and again.code} and not {first.code}")

    async def _answer(self):
        """What the answer was; None if there was none in time."""
        self._events = EventReader()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            way = self._random.choice([self._ask, self._wait, self._follow] if self._plan.is_stream else [self._ask, self._wait])
            hearing = await way()
            if hearing.verdict is not Verdict.UNKNOWN:
                # Under whatever id the answer came, it is the job's.
                hearing.id = hearing.id and self._completion.job
                return hearing
            await asyncio.sleep(self._random.uniform(0.05, 0.5))
        return None

    async def _ask(self):
        return self._conclude(await self._worker.request("GET", self._location))

    async def _wait(self):
        return self._conclude(await self._worker.request("GET", f"{self._location}?wait={self._random.randint(1, 30)}"))

    def _conclude(self, hearing):
        if not hearing.is_complete:
            return hearing
        if hearing.status == 202:
            hearing.code = "202"
        elif hearing.status != 200 and error_code(bytes(hearing.body)) in PASSING:
            hearing.code = str(hearing.status)
        else:
            conclude(hearing, self._plan)
        if hearing.status == 404:
            hearing.verdict, hearing.code = Verdict.WRONG, f"404 for the job {self._completion.job}, which was accepted"
        return hearing

    async def _follow(self):
        """The stream of events from where it broke; sometimes the client itself breaks it."""
        events = self._events
        events.connect()
        headers = [("Accept", "text/event-stream"), *([("Last-Event-ID", str(events.last))] if events.last else [])]
        leave = self._random.uniform(0, 1.5) if self._random.random() < 0.5 else None
        hearing = await self._worker.request("GET", self._location, headers=headers, leave_after=leave, on_bytes=events.take)
        if events.problem:
            hearing.verdict, hearing.code = Verdict.WRONG, events.problem
        elif hearing.is_complete and hearing.status == 200:
            hearing.body.clear()
            self._conclude_stream(hearing, events)
        elif hearing.is_complete:
            return self._conclude(hearing)
        return hearing

    def _conclude_stream(self, hearing, events):
        at = events.rest.rfind(ERROR_EVENT)
        code = error_code(events.rest[at + len(b"data: ") :]) if at >= 0 else None
        if code in PASSING:
            return
        whole = events.joined + events.rest
        hearing.verdict, hearing.code, hearing.call = judge(self._plan, 200, whole)
        if code and hearing.verdict is not Verdict.WRONG:
            hearing.verdict = verdict_of(code)


def accept(hearing, completion):
    """Notes what the answer to a request with `Prefer: respond-async` means.

    Returns: where the job is, if it was accepted.
    """
    if not hearing.is_complete:
        return None
    if hearing.status == 202:
        hearing.verdict, hearing.code = Verdict.ACCEPTED, "202"
        if not hearing.location or not hearing.location.endswith(f"/jobs/{hearing.id}"):
            completion.wrongs.append(f"a 202 for {hearing.id} names the location {hearing.location}")
        return hearing.location
    conclude(hearing, completion.plan)
    return None
