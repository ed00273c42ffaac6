"""What the provider shall do with a completion, and the bytes that it answers: a plan travels in the completion's body.

Every byte of an answer follows from the plan's token and the number of the call at the provider, so a client knows an answer that lacks a byte, has one
twice, or was put together from two calls.
"""

import json
import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from random import Random

CALL = re.compile(rb'"call":(\d+)')
# Stands in the completion alone, and in what is logged of it.
QUESTION = re.compile(rb"What becomes of ([0-9-]+)\?")
ERROR_EVENT = b'data: {"error":'
DONE = b"data: [DONE]\n\n"
REFUSALS = (429, 500)


@dataclass(frozen=True)
class Plan:
    # Names the completion; nothing else has it.
    token: str
    is_stream: bool
    # Milliseconds to the head, and between two events of a stream.
    head_ms: int
    pace_ms: int
    # Bytes of text in the answer, and events of a stream.
    size: int
    events: int
    # How the first calls fail: a status, `cut` before the answer begins, or `break` in its middle. Later ones succeed.
    failures: tuple = ()
    model: str = "provider/soak"

    @classmethod
    def read(cls, members):
        return cls(**{**members, "failures": tuple(members["failures"])})

    def request(self):
        """The completion's body."""
        question = [{"role": "user", "content": f"What becomes of {self.token}?"}]
        return json.dumps({"model": self.model, "stream": self.is_stream, "messages": question, "soak": asdict(self)}).encode()

    def failure(self, call):
        return self.failures[call - 1] if call <= len(self.failures) else None

    def refusal(self, call):
        """The body of an answer with an error status."""
        error = {"message": "As planned.", "type": "provider_error", "param": None, "code": "planned"}
        return b'{"token":"%s","call":%d,"error":%s}' % (self.token.encode(), call, json.dumps(error).encode())

    def whole(self, call):
        """The body of a successful answer."""
        return b"".join(stream_events(self, call)) if self.is_stream else b'{"id":"%s","call":%d,"choices":[{"index":0,"message":{"content":"%s"}}]}' % (
            *(self.token.encode(), call),
            text(self, call),
        )


def text(plan, call):
    return Random(f"{plan.token}/{call}").randbytes(plan.size // 2).hex().encode()


@lru_cache(maxsize=64)
def stream_events(plan, call):
    """The events of a streamed answer, the last one included."""
    content = text(plan, call)
    share = -(-len(content) // plan.events) or 1
    events = [
        b'data: {"id":"%s","call":%d,"event":%d,"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
        % (plan.token.encode(), call, number, content[share * number : share * (number + 1)])
        for number in range(plan.events)
    ]
    return (*events, DONE)


def draw(random, token, is_stream, kind="plain", model=Plan.model):
    """A plan of the usual mixture: most answers are short and quick, some large, some slow, some fail."""
    is_slow = random.random() < 0.12
    # Redis keeps many of the answers for an hour or a day, so the large ones are few.
    size = random.choice([200, 800, 3_000]) if random.random() < 0.94 else random.choice([60_000, 200_000, 600_000])
    events = random.choice([3, 12, 40, 120]) if is_stream else 1
    pace = random.choice([0, 5, 30, 120]) if not is_slow else 4_000 // events + 40
    head = random.randint(0, 300) if not is_slow else random.randint(1_500, 7_000)
    failures = ()
    if random.random() < (0.35 if kind in ("keyed", "balanced", "falling back") else 0.10):
        failures = (random.choice([429, 429, 500, "cut", "break" if is_stream else 429]),) * random.choice([1, 1, 2])
    if kind == "slow reader":
        size, events, pace, failures = 1_500_000, 150, 0, ()
    return Plan(token, is_stream, head, pace if is_stream else 0, size, events, failures, model)
