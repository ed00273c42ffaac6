"""What happens to the processes: every few seconds something, by a seed. Who is hit, when and for how long is kept."""

import asyncio
import signal
import time
from dataclasses import dataclass
from random import Random

from fleet import DRAIN

# Longer than a forwarder's lease of 15 s, so that its jobs are taken over, and the time after which the others look.
FROZEN_SECONDS = (18, 24)
REDIS_FROZEN_SECONDS = (1, 8)
STORE_AWAY_SECONDS = (0, 12)
PAUSE_SECONDS = (2, 7)
# A stopped process ends within its drain time and what a frozen Redis may add to it.
ENDS_WITHIN = DRAIN + 25


@dataclass
class Event:
    began: float
    what: str
    target: str
    # When all was right again.
    ended: float = None


class Chaos:
    def __init__(self, fleet, seed, log):
        self._fleet, self._random, self._log = fleet, Random(f"{seed}/chaos"), log
        self.events, self.violations = [], []
        self._choices = {
            self._kill_forwarder: 4,
            self._freeze_forwarder: 2,
            self._stop_forwarder: 2,
            self._stop_ingress: 1.5,
            self._kill_ingress: 1.5,
            self._kill_redis: 1.5,
            self._freeze_redis: 1.5,
            self._kill_store: 1,
            self._kill_verifier: 1.5,
        }

    async def run(self, seconds):
        """Returns when that time is over and everything works again."""
        deadline = time.monotonic() + seconds
        async with asyncio.TaskGroup() as lasting:
            while (left := deadline - time.monotonic()) > 0:
                await asyncio.sleep(min(self._random.uniform(*PAUSE_SECONDS), left))
                [action] = self._random.choices(list(self._choices), list(self._choices.values()))
                if time.monotonic() < deadline:
                    await action(lasting)

    def is_redis_calm(self, began, ended):
        """Whether Redis was there all that time."""
        return not any(event.target.startswith("redis") and event.began < ended and (event.ended or ended) > began for event in self.events)

    async def _kill_forwarder(self, _):
        forwarder = self._random.choice(self._fleet.forwarders[1:])
        event = self._note("kill -9", forwarder)
        forwarder.kill()
        self._replace_forwarder(forwarder)
        self._end(event)

    async def _freeze_forwarder(self, lasting):
        if any(event.what == "freeze" and not event.ended for event in self.events):
            return
        forwarder = self._random.choice(self._fleet.forwarders)
        event = self._note("freeze", forwarder)
        forwarder.freeze()
        lasting.create_task(self._thaw(event, forwarder, self._random.uniform(*FROZEN_SECONDS)))

    async def _thaw(self, event, process, seconds):
        await asyncio.sleep(seconds)
        process.send(signal.SIGCONT)
        self._end(event)

    async def _stop_forwarder(self, lasting):
        forwarder = self._random.choice(self._fleet.forwarders[1:])
        if any(event.what == "freeze" and event.target == forwarder.role and not event.ended for event in self.events):
            return
        event = self._note("SIGTERM", forwarder)
        forwarder.terminate()
        self._replace_forwarder(forwarder)
        lasting.create_task(self._see_off(event, forwarder))

    async def _stop_ingress(self, lasting):
        old = self._fleet.ingresses[1]
        event = self._note("SIGTERM", old)
        await self._fleet.start_ingress()
        self._fleet.ingresses.remove(old)
        old.terminate()
        lasting.create_task(self._see_off(event, old))

    async def _kill_ingress(self, _):
        old = self._fleet.ingresses[1]
        event = self._note("kill -9", old)
        self._fleet.ingresses.remove(old)
        old.kill()
        await self._fleet.start_ingress()
        self._end(event)

    async def _kill_redis(self, _):
        redis = self._fleet.redis
        event = self._note("kill -9", redis)
        self._kill_between_writes(redis)
        await asyncio.sleep(self._random.uniform(0, 2))
        await self._fleet.start_redis()
        self._end(event)

    def _kill_between_writes(self, redis):
        """While an fsync of its file takes its time, Redis answers before it has written: that loss is Redis's own (`everysec`), and not looked for here."""
        with self._fleet.look() as view:
            while True:
                info = view.info("persistence")
                if info["aof_pending_bio_fsync"] == info["aof_buffer_length"] == "0":
                    return redis.kill()

    async def _freeze_redis(self, _):
        event = self._note("freeze", self._fleet.redis)
        self._fleet.redis.send(signal.SIGSTOP)
        await asyncio.sleep(self._random.uniform(*REDIS_FROZEN_SECONDS))
        self._fleet.redis.send(signal.SIGCONT)
        self._end(event)

    async def _kill_store(self, lasting):
        """Only one at a time: it has one address."""
        if self._fleet.store.status is not None:
            return
        event = self._note("kill -9", self._fleet.store)
        self._fleet.store.kill()
        lasting.create_task(self._bring_back_store(event))

    async def _bring_back_store(self, event):
        await asyncio.sleep(self._random.uniform(*STORE_AWAY_SECONDS))
        await self._fleet.start_store()
        self._end(event)

    async def _kill_verifier(self, _):
        verifier = self._fleet.verifiers[1]
        event = self._note("kill -9", verifier)
        verifier.kill()
        self._fleet.verifiers.remove(verifier)
        self._fleet.start_verifier()
        self._end(event)

    async def _see_off(self, event, process):
        deadline = time.monotonic() + ENDS_WITHIN
        while process.status is None and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        self._end(event)
        if process.status != 0:
            self.violations.append(f"{process.role} was told to stop and after {time.monotonic() - event.began:.1f} s its status is {process.status}")

    def _replace_forwarder(self, forwarder):
        self._fleet.forwarders.remove(forwarder)
        self._fleet.start_forwarder()

    def _note(self, what, process):
        event = Event(time.monotonic(), what, process.role)
        self.events.append(event)
        self._log(f"{what} {process.role} (process {process.process_id})")
        return event

    def _end(self, event):
        event.ended = time.monotonic()
