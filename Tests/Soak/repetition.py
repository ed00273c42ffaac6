"""A completion with an Idempotency-Key, sent again until it is decided, and sometimes once more: always the same job."""

import asyncio
import time
from dataclasses import replace

from background import Background, accept
from client import PATIENCE
from hearing import Verdict

MOST_ATTEMPTS = 12


class Repetition:
    def __init__(self, worker, completion):
        self._worker, self._random, self._completion = worker, worker.random, completion

    async def run(self):
        deadline = time.monotonic() + 2 * PATIENCE
        for attempt in range(MOST_ATTEMPTS):
            # The last ones stay until they have heard it.
            leaves = attempt < 4 and self._random.random() < 0.35
            together = 2 if self._random.random() < 0.2 else 1
            heard = await asyncio.gather(*(self._post(leaves) for _ in range(together)))
            if any(self._decides(hearing) for hearing in heard) or time.monotonic() > deadline:
                break
            await asyncio.sleep(self._random.uniform(0.05, 0.5))
        if self._completion.succeeded and self._random.random() < 0.5:
            await self._repeat()

    async def _post(self, leaves):
        return await self._worker.post(self._completion, plan=self._completion.plan, leave_after=self._random.uniform(0.05, 2) if leaves else None)

    @staticmethod
    def _decides(hearing):
        """What succeeded, or stays as it is under this key."""
        is_kept = hearing.is_final or hearing.status == 200
        return hearing.verdict in (Verdict.WRONG, Verdict.SUCCEEDED) or (hearing.verdict is Verdict.FAILED and is_kept)

    async def _repeat(self):
        """After the success: the same answer, the same location, and no other request under the key."""
        [way] = self._random.choices([self._again, self._in_background, self._other_body])
        await way()

    async def _again(self):
        hearing = await self._post(leaves=False)
        if hearing.verdict is Verdict.FAILED:
            self._completion.wrongs.append(f"repeated after its success: {hearing.code}")

    async def _in_background(self):
        hearing = await self._worker.post(self._completion, [("Prefer", "respond-async")])
        location = accept(hearing, self._completion)
        known = {heard.id for heard in self._completion.of(Verdict.SUCCEEDED)}
        if location and hearing.id not in known:
            self._completion.wrongs.append(f"repeated in the background it is {hearing.id}, before it was {known}")
        elif location:
            self._completion.job = hearing.id
            await Background(self._worker, self._completion, location).fetch()

    async def _other_body(self):
        body = replace(self._completion.plan, head_ms=self._completion.plan.head_ms + 1).request()
        headers = [("Idempotency-Key", self._completion.idempotency_key)]
        hearing = await self._worker.request("POST", self._completion.path, body, headers)
        if hearing.is_complete and hearing.status not in (422, 503):
            self._completion.wrongs.append(f"another body under its key got {hearing.status}, not 422")
