"""What must hold of every completion (docs/architecture.md §2): of what its clients heard, of the calls at the provider, of its rollout's set."""

from collections import defaultdict

import routed
from hearing import Verdict
from plan import REFUSALS

# Redis's clients notice that it is back within that time, in seconds; and how long an answer that says it is away may take beside what the client was late.
NOTICED_WITHIN, TOLD_WITHIN = 3, 3
# How long before an ingress is told to stop a request may have been sent that it has not read by then, in seconds.
CLOSING = 0.5
# Of architecture §2.4, from a forwarder's death to the next call, where Redis was there all the time.
DELIVERED_AGAIN_WITHIN = 30
# Redis was away that long before: nobody is taken for dead until it has been heard again for a while.
STEADY = 12


class Facts:
    def __init__(self, fleet, chaos, completions, records, lateness):
        self._chaos, self._completions, self._records, self._lateness = chaos, completions, records, lateness
        self._forwarders = fleet.started("forwarder")
        self.violations = []
        # Seconds from a forwarder's loss to the next call of what it had.
        self.recoveries = []

    def check(self, members_of):
        """members_of: gives the members of a rollout's set."""
        for completion in self._completions:
            self._check_hearings(completion)
            self._check_calls(completion)
        self._check_sets(members_of)
        return self.violations

    def _note(self, completion, what):
        calls = [f"{call.outcome} by forwarder-{call.forwarder}" for call in self._calls(completion)]
        heard = [f"{hearing.code} ({hearing.id} from {hearing.ingress.role})" for hearing in completion.hearings]
        self.violations.append(f"{completion.kind} {completion.plan.token} of {completion.rollout}: {what}. Heard: {heard}; calls: {calls}")

    def _calls(self, completion):
        return self._records.get(completion.plan.token, [])

    def _check_hearings(self, completion):
        for wrong in completion.wrongs:
            self._note(completion, wrong)
        for hearing in completion.hearings:
            if hearing.verdict is Verdict.WRONG:
                self._note(completion, f"wrong answer: {hearing.code}")
            elif reason := self._unexplained(completion, hearing):
                self._note(completion, f"{hearing.code}: {reason}")
        succeeded = completion.of(Verdict.SUCCEEDED)
        if len({(hearing.id, hearing.call) for hearing in succeeded}) > 1:
            self._note(completion, "its success has more than one id or comes from more than one call")
        for hearing in succeeded:
            if self._calls(completion)[hearing.call - 1].outcome not in ("whole", "running", "left"):
                self._note(completion, f"succeeded by call {hearing.call}, which the provider did not end well")

    def _unexplained(self, completion, hearing):
        """Why a failure should not have been; None if it had its cause."""
        code = hearing.code.rpartition(" ")[2]
        if hearing.code.startswith("broken"):
            return self._unexplained_break(completion, hearing)
        if hearing.verdict in (Verdict.SUCCEEDED, Verdict.ACCEPTED) or completion.kind == "bad request" or code in ("planned", "left"):
            return None
        if code == "queue_unavailable":
            return self._unexplained_absence(completion, hearing)
        causes = {
            "closed_early": bool({"cut", "break"} & set(completion.plan.failures)),
            "cancelled": completion.kind == "deleted",
            "shutting_down": hearing.ingress.is_leaving,
            "forwarder_lost": self._losses(completion) > 0,
            "dead_lettered": self._losses(completion) > 0,
        }
        return None if causes.get(code) else "nothing that happened explains it"

    @staticmethod
    def _unexplained_break(completion, hearing):
        ingress = hearing.ingress
        # An answer that fails behind its first bytes, and whose form has no place for an error.
        if ingress.was_killed or (hearing.status == 200 and not completion.plan.is_stream):
            return None
        if not ingress.is_leaving:
            return f"{ingress.role} was not ended"
        # What came on a connection that was closing was not taken.
        return f"{ingress.role} was told to stop, and had this before" if hearing.began < ingress.losses[0] - CLOSING else None

    def _unexplained_absence(self, completion, hearing):
        if self._chaos.is_redis_calm(hearing.began - NOTICED_WITHIN, hearing.ended):
            return "Redis was there"
        if hearing.ended - hearing.began > TOLD_WITHIN + self._lateness.between(hearing.began, hearing.ended):
            return f"was told after {hearing.ended - hearing.began:.1f} s"
        if self._calls(completion) and not hearing.is_final and not completion.idempotency_key:
            return "the call was made, and its client was not told to leave it at that"
        return None

    def _losses(self, completion):
        """How many losses of its forwarders a completion lived through."""
        calls = self._calls(completion)
        if not calls:
            return sum(loss >= completion.began for forwarder in self._forwarders for loss in forwarder.losses)
        # A forwarder may begin with what it had read when it wakes from its freezing.
        since = completion.began - 30
        callers = {call.forwarder for call in calls}
        return sum(since <= loss for number in callers for loss in self._forwarders[number].losses)

    def _check_calls(self, completion):
        calls = self._calls(completion)
        # Such an answer lets a repeated request be a new call.
        freeing = sum(call.outcome in REFUSALS for call in calls) if completion.idempotency_key else 0
        losses = self._losses_until(completion, calls)
        # On a connection that was kept, a call that is cut off without a byte is made once more on a fresh one.
        repeated = sum(before.outcome == "cut" and before.forwarder == call.forwarder for before, call in zip(calls, calls[1:]))
        passed_on = routed.extra_calls(completion, calls)
        if len(calls) > 1 + losses + freeing + passed_on + min(repeated, 1 + losses):
            self._note(completion, f"called {len(calls)} times")
        for wrong in routed.check(completion, calls):
            self._note(completion, wrong)
        if completion.kind == "bad request" and calls:
            self._note(completion, "was let in")
        first_bytes = [hearing.first_byte for hearing in completion.hearings if hearing.first_byte]
        if first_bytes and any(call.began > min(first_bytes) for call in calls):
            self._note(completion, "called again after its first bytes had come to the client")
        for before, call in zip(calls, calls[1:]):
            self._check_recovery(completion, before, call)

    def _losses_until(self, completion, calls):
        callers = {call.forwarder for call in calls}
        return sum(completion.began - 30 <= loss <= calls[-1].began for number in callers for loss in self._forwarders[number].losses)

    def _check_recovery(self, completion, before, call):
        losses = [loss for loss in self._forwarders[before.forwarder].losses if before.began <= loss <= call.began]
        if before.forwarder == call.forwarder or not losses:
            return
        took = call.began - losses[0]
        self.recoveries.append(took)
        if took > DELIVERED_AGAIN_WITHIN and self._chaos.is_redis_calm(losses[0] - STEADY, call.began):
            self._note(completion, f"delivered again {took:.1f} s after its forwarder was lost, though Redis was there")

    def _check_sets(self, members_of):
        rollouts = defaultdict(list)
        for completion in self._completions:
            rollouts[completion.rollout].append(completion)
        for rollout, completions in rollouts.items():
            self._check_set(rollout, completions, set(members_of(rollout)))

    def _check_set(self, rollout, completions, members):
        unknown = set(members)
        open_calls = 0
        for completion in completions:
            succeeded = {hearing.id for hearing in completion.of(Verdict.SUCCEEDED)}
            failed = {hearing.id for hearing in completion.of(Verdict.FAILED)}
            if succeeded - members:
                self._note(completion, f"succeeded, and its id is not in the set: {succeeded - members}")
            if failed & members:
                self._note(completion, f"told to have failed, and its id is in the set: {failed & members}")
            unknown -= succeeded | failed
            was_answered = any(call.outcome in ("whole", "left") for call in self._calls(completion))
            known = completion.known_ids & members - succeeded - failed
            if known and (not was_answered or len(known) > 1):
                self._note(completion, f"nobody answered it, or only once, and its set has {known}")
            unknown -= known
            open_calls += completion.is_open and was_answered and not known
        if len(unknown) > open_calls:
            self.violations.append(f"{rollout}: {len(unknown)} ids that no client knows, {unknown}, and {open_calls} completions of unknown end")
