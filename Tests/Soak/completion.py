"""One completion as its client sees it: its plan, and what was heard of it."""

from dataclasses import dataclass, field

from hearing import Verdict
from plan import Plan


@dataclass
class Completion:
    kind: str
    plan: Plan
    rollout: str
    path: str
    began: float
    idempotency_key: str = None
    # The header that keeps it out of the traces.
    withheld_by: tuple = None
    # The insertion id of a background job.
    job: str = None
    hearings: list = field(default_factory=list)
    # What went against the contract, as its client saw it.
    wrongs: list = field(default_factory=list)

    def of(self, verdict):
        return [hearing for hearing in self.hearings if hearing.verdict is verdict]

    @property
    def succeeded(self):
        return bool(self.of(Verdict.SUCCEEDED))

    @property
    def is_open(self):
        """Whether its client cannot know how it ended."""
        if self.succeeded:
            return False
        # Of a job that was accepted, the answer decides.
        if self.job and self.idempotency_key is None:
            return not any(hearing.id == self.job for hearing in self.of(Verdict.FAILED))
        return bool(self.of(Verdict.UNKNOWN) or self.of(Verdict.ACCEPTED))

    @property
    def known_ids(self):
        return {hearing.id for hearing in self.hearings if hearing.id}

    @property
    def outcome(self):
        """A word for the report."""
        if self.succeeded:
            return "200"
        decided = self.of(Verdict.WRONG) or self.of(Verdict.FAILED) or self.hearings
        return decided[-1].code if decided else "nothing sent"
