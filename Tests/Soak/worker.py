"""One of the soak's clients: completions of all kinds, one after the other, by its seed."""

import asyncio
import time
from random import Random

import plan as plans
import routed
import withheld
from background import Background
from bad_requests import BAD_REQUESTS
from client import Refused
from completion import Completion
from hearing import Verdict
from questions import Question
from repetition import Repetition

# How many completions a rollout has.
ROLLOUT_SIZE = 20
KINDS = {
    "plain": 30,
    "stream": 25,
    "background": 14,
    "repeated": 12,
    "leaving": 8,
    "deleted": 4,
    "balanced": 6,
    "falling back": 6,
    "slow reader": 1,
    "bad request": 6,
    "question": 6,
}


class Worker:
    def __init__(self, name, seed, client, completions, questions):
        self._name, self.client, self._completions = f"{seed}-{name}", client, completions
        self.random = Random(f"{seed}/worker/{name}")
        self._questions = questions
        self._number = 0

    async def run(self, deadline):
        while time.monotonic() < deadline:
            [kind] = self.random.choices(list(KINDS), list(KINDS.values()))
            await getattr(self, "_" + kind.replace(" ", "_"))()
            await asyncio.sleep(self.random.uniform(0, 0.5))

    def new(self, kind, is_stream=None, key=None):
        """A completion that nobody else makes."""
        token = f"{self._name}-{self._number}"
        rollout = self._rollout
        self._number += 1
        is_stream = self.random.random() < 0.5 if is_stream is None else is_stream
        plan = plans.draw(self.random, token, is_stream, "keyed" if key else kind, routed.MODELS.get(kind, plans.Plan.model))
        version = self.random.choice(["", "/v1"])
        path = f"{version}/rollout_id/{rollout}/invocation_id/i/experiment_id/e/run_id/r/row_id/{self._number}/chat/completions"
        completion = Completion(kind, plan, rollout, path, time.monotonic(), key and f"key-{token}", withheld.draw(self.random))
        self._completions.append(completion)
        return completion

    @property
    def _rollout(self):
        return f"soak-{self._name}-{self._number // ROLLOUT_SIZE}"

    async def post(self, completion, headers=(), **options):
        """Sends the completion, to another ingress as long as none takes it; what was heard is noted."""
        if completion.idempotency_key:
            headers = [*headers, ("Idempotency-Key", completion.idempotency_key)]
        if completion.withheld_by:
            headers = [*headers, completion.withheld_by]
        hearing = await self.request("POST", completion.path, completion.plan.request(), headers, **options)
        completion.hearings.append(hearing)
        return hearing

    async def request(self, *arguments, **options):
        while True:
            try:
                return await self.client.send(self.client.any_ingress(self.random), *arguments, **options)
            except Refused:
                await asyncio.sleep(0.1)

    async def _plain(self):
        completion = self.new("plain", is_stream=False)
        await self.post(completion, plan=completion.plan)

    async def _stream(self):
        completion = self.new("stream", is_stream=True)
        await self.post(completion, plan=completion.plan)

    async def _balanced(self):
        completion = self.new("balanced")
        await self.post(completion, plan=completion.plan)

    async def _falling_back(self):
        completion = self.new("falling back")
        await self.post(completion, plan=completion.plan)

    async def _slow_reader(self):
        completion = self.new("slow reader", is_stream=True)
        await self.post(completion, plan=completion.plan, is_slow=True)

    async def _leaving(self):
        """Goes away in the middle. Where calls go on without their client, it may fetch the answer later."""
        completion = self.new("leaving")
        where = {"leave_at": self.random.randint(1, completion.plan.size)} if self.random.random() < 0.5 else {}
        hearing = await self.post(completion, plan=completion.plan, leave_after=self.random.uniform(0, 2), **where)
        is_kept = hearing.id and hearing.ingress.finishes and hearing.status == 200 and not hearing.is_complete
        if is_kept and self.random.random() < 0.7:
            completion.job = hearing.id
            await Background(self, completion, f"/v1/jobs/{hearing.id}").fetch()

    async def _background(self):
        await Background.make(self, self.new("background"))

    async def _deleted(self):
        await Background.make(self, self.new("deleted"), deletes=True)

    async def _repeated(self):
        await Repetition(self, self.new("repeated", key=True)).run()

    async def _question(self):
        """What is known of the rollout that it works on."""
        rollout = self._rollout
        succeeded = [completion for completion in self._completions if completion.rollout == rollout and completion.succeeded]
        question = Question(rollout, len(succeeded))
        question.judge(await self.request("GET", f"/v1/rollouts/{rollout}?wait=1"))
        self._questions.append(question)

    async def _bad_request(self):
        bad = self.random.choice(BAD_REQUESTS)
        completion = self.new("bad request")
        path = bad.path or completion.path
        body = bad.body if bad.body is not None else completion.plan.request()
        hearing = await self.request(bad.method, path, body, bad.headers)
        bad.judge(hearing)
        completion.hearings.append(hearing)
        if hearing.verdict is Verdict.WRONG:
            completion.wrongs.append(f"{bad.method} {path} with {body[:60]}: {hearing.code}")
