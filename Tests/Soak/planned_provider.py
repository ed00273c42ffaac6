"""The provider behind the gateway: does what each completion's plan says, and keeps a record of every call."""

import asyncio
import time
from dataclasses import dataclass
from random import Random

from plan import REFUSALS, Plan, stream_events
from provider import DEADLINE, ScriptedProvider

KEY_PREFIX = "key-of-forwarder-"


@dataclass
class CallRecord:
    # The forwarder's number: each has a provider key of its own.
    forwarder: int
    began: float
    # The account that the call was made for, which its URL begins with.
    account: str
    # `running`, `whole`, a status, `cut`, `break`, or `left` where the caller went away.
    outcome: object = "running"


class PlannedProvider(ScriptedProvider):
    """Serves from a thread of its own (ScriptedProvider); its records are read when it has no call in hand."""

    def __init__(self):
        self.records = {}
        super().__init__()

    @property
    def running(self):
        return sum(record.outcome == "running" for records in list(self.records.values()) for record in records[-8:])

    def stop(self):
        asyncio.run_coroutine_threadsafe(self._leave_all(), self.loop).result(DEADLINE)
        super().stop()

    @staticmethod
    async def _leave_all():
        """Of an interrupted soak's answers."""
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def run(self, call):
        try:
            plan = Plan.read(call.json["soak"])
            records = self.records.setdefault(plan.token, [])
            account = call.path.split("/")[1]
            record = CallRecord(int(call.header("authorization").rpartition(KEY_PREFIX)[2]), time.monotonic(), account)
            records.append(record)
            outcome = await self._answer(call, plan, len(records))
            record.outcome = "left" if call.gone.is_set and outcome == "whole" else outcome
        except Exception as error:
            self.violations.append(f"the provider failed at {call.path}: {error!r}")
            call.cut()

    async def _answer(self, call, plan, number):
        await asyncio.sleep(plan.head_ms / 1000)
        failure = plan.failure(number)
        if failure in REFUSALS:
            await call.respond(plan.refusal(number), status=failure)
        elif failure == "cut" or (failure and not plan.is_stream):
            call.cut()
        elif plan.is_stream:
            return await self._stream(call, plan, number, is_broken=failure == "break")
        else:
            await call.respond(plan.whole(number))
        return failure or "whole"

    async def _stream(self, call, plan, number, is_broken):
        """The events in pieces that end where they like."""
        random = Random(f"{plan.token}/{number}/pieces")
        events = stream_events(plan, number)
        await call.begin()
        for event in events[: len(events) // 2] if is_broken else events:
            cut = random.randrange(len(event)) if random.random() < 0.3 else 0
            for piece in (event[:cut], event[cut:]):
                if piece:
                    await call.send(piece)
            if call.gone.is_set:
                return "left"
            # Gives way even without a pace: others are served in between.
            await asyncio.sleep(plan.pace_ms / 1000)
        if is_broken:
            call.cut()
            return "break"
        await call.end()
        return "whole"
