"""What the gateway says of rollouts: never more than is true while all happens, and the whole truth in the end."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hearing import error_code
from processes import ask

# Errors that say nothing of the rollout.
UNDECIDED = {
    "queue_unavailable", "no_verifier", "verifier_busy", "no_answer_in_time", "shutting_down", "answer_lost",
    "worker_lost", "trace_store_unavailable",
}
# Until every trace is where it belongs, in seconds: beyond an exporter's longest pause and the takeover of what a dead one had.
SETTLED_WITHIN = 80
AT_ONCE = 8


@dataclass
class Question:
    """One that is asked while completions are made."""

    rollout: str
    # How many completions have succeeded, and how many there are at least.
    succeeded: int
    code: str = ""
    violation: str = None

    def judge(self, hearing):
        if not hearing.is_complete:
            self.code = hearing.code
            return
        body = bytes(hearing.body)
        if hearing.status != 200:
            self.code = f"{hearing.status} {error_code(body)}"
            is_excused = error_code(body) in UNDECIDED or (error_code(body) == "rollout_not_found" and not self.succeeded)
            self.violation = None if is_excused else f"{self.rollout}, of which {self.succeeded} succeeded: {body[:200]}"
            return
        verdict = json.loads(body)
        self.code = verdict["verdict"]
        says_all = verdict["traced"] == verdict["expected"] and not verdict["missing"] and not verdict["in_flight"]
        if verdict["verdict"] == "complete" and not (says_all and verdict["expected"] >= self.succeeded):
            self.violation = f"{self.rollout} is complete, and {self.succeeded} have succeeded: {verdict}"


async def check_in_the_end(port, members, fields="name", judge=lambda rollout, traces: None):
    """Violations. `members`: the ids in each rollout's set, by the rollout; they change no more. `judge`: gives a violation of a rollout's traces with these
    fields, or None."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        loop = asyncio.get_running_loop()
        found = await asyncio.gather(*(loop.run_in_executor(threads, check, port, *item, fields, judge) for item in members.items()))
    return [violation for violation in found if violation]


def check(port, rollout, ids, fields, judge):
    """A violation: one of a rollout's ids is without its trace, or the gateway does not know that all have theirs."""
    status, body = ask(port, "GET", f"/v1/rollouts/{rollout}?wait={SETTLED_WITHIN}")
    if not ids and status == 404:
        return None
    verdict = json.loads(body)
    if status != 200 or (verdict["verdict"], verdict["expected"], verdict["traced"]) != ("complete", len(ids), len(ids)):
        return f"{rollout} has {len(ids)} ids, and in the end it is {status} {body[:500]}"
    if not ids:
        return None
    status, body = ask(port, "GET", f"/v1/traces?tags=rollout_id:{rollout}&limit=1000&fields={fields}")
    traces = json.loads(body)["traces"] if status == 200 else []
    found = [trace["id"] for trace in traces] if status == 200 else body[:300]
    if sorted(found) != sorted(each.replace("-", "") for each in ids):
        return f"{rollout} has the ids {sorted(ids)}, and the traces {found}"
    return judge(rollout, traces)
