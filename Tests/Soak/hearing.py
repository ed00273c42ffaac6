"""What a client heard to one request, and what it may conclude from it."""

import json
from dataclasses import dataclass, field
from enum import Enum

from plan import CALL, ERROR_EVENT, REFUSALS


class Verdict(Enum):
    SUCCEEDED = "succeeded"
    # It was told that the completion did not succeed.
    FAILED = "failed"
    # It cannot know: its connection broke, it went away, or it was told that the call may have been made.
    UNKNOWN = "unknown"
    # A background job that was accepted.
    ACCEPTED = "accepted"
    # What no client may ever hear.
    WRONG = "wrong"


# Errors of the gateway that say nothing about whether the call was made.
UNDECIDED = {"queue_unavailable", "no_answer_in_time", "shutting_down", "answer_lost"}


@dataclass
class Hearing:
    verdict: Verdict
    # A word for the report: a status and code, or what went wrong.
    code: str
    began: float
    ended: float
    ingress: object = None
    status: int = None
    # The insertion id, where a head came.
    id: str = None
    # The call at the provider whose answer it is.
    call: int = None
    # When the first byte of a successful answer came.
    first_byte: float = None
    body: bytearray = field(default_factory=bytearray, repr=False)
    # Whether the client was told not to try again.
    is_final: bool = False
    # Whether the answer came to its end.
    is_complete: bool = False
    # Where a job is to be found.
    location: str = None
    # What the answer says of its way (`x-tfy-…`).
    headers: dict = field(default_factory=dict, repr=False)

    @property
    def is_planned(self):
        return self.code.endswith("planned")


def conclude(hearing, plan):
    """Notes what the answer means, and forgets its bytes. Of one that did not come to its end, what came must be its beginning."""
    if hearing.is_complete:
        hearing.verdict, hearing.code, hearing.call = judge(plan, hearing.status, bytes(hearing.body))
    elif hearing.first_byte and (call := CALL.search(hearing.body)):
        hearing.call = int(call.group(1))
        # A stream that was broken off has the gateway's error event behind it, for whose end a client that leaves does not wait.
        end = hearing.body.rfind(ERROR_EVENT) if plan.is_stream else -1
        if not plan.whole(hearing.call).startswith(hearing.body[:end] if end >= 0 else hearing.body):
            hearing.verdict, hearing.code = Verdict.WRONG, f"garbled: {describe_difference(plan, hearing.call, bytes(hearing.body))}"
    hearing.body = bytearray()


def judge(plan, status, body):
    """(verdict, code, call) of an answer that ended well. What is not to the byte what the plan says is wrong."""
    call = CALL.search(body)
    number = int(call.group(1)) if call else None
    if status != 200:
        return judge_error(plan, status, body, number)
    if number is not None and body == plan.whole(number):
        return Verdict.SUCCEEDED, "200", number
    end = body.rfind(ERROR_EVENT)
    if plan.is_stream and end >= 0:
        code = error_code(body[end + len(b"data: ") :])
        if end == 0 or (number is not None and plan.whole(number).startswith(body[:end])):
            return verdict_of(code), f"200, then {code}", number
    return Verdict.WRONG, f"garbled: {describe_difference(plan, number, body)}", number


def judge_error(plan, status, body, number):
    if number is not None:
        is_right = status in REFUSALS and body == plan.refusal(number)
        return (Verdict.FAILED, f"{status} planned", number) if is_right else (Verdict.WRONG, f"garbled {status}: {body[:200]}", number)
    code = error_code(body)
    return verdict_of(code), f"{status} {code}", None


def verdict_of(code):
    return Verdict.UNKNOWN if code in UNDECIDED else Verdict.FAILED if code else Verdict.WRONG


def error_code(body):
    try:
        return json.loads(body)["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return None


def describe_difference(plan, number, body):
    expected = plan.whole(number) if number is not None else b""
    same = next((at for at, pair in enumerate(zip(expected, body)) if pair[0] != pair[1]), min(len(expected), len(body)))
    return f"{len(body)} bytes of {len(expected)}, the same up to {same}: …{body[max(same - 40, 0) : same + 60]}"
