"""Requests that no ingress may let in, whatever happens around it."""

from dataclasses import dataclass

from hearing import UNDECIDED, Verdict, error_code

IDS = "/rollout_id/soak-bad/invocation_id/i/experiment_id/e/run_id/r/row_id/1"


@dataclass(frozen=True)
class BadRequest:
    status: int
    code: str
    # None: those of a completion.
    body: bytes = None
    path: str = None
    method: str = "POST"
    headers: tuple = ()
    # Whether Redis has to be asked first.
    needs_redis: bool = False

    def judge(self, hearing):
        """Notes what the answer means: nothing of such a request may be anywhere."""
        if not hearing.is_complete:
            return
        code = error_code(bytes(hearing.body))
        hearing.code = f"{hearing.status} {code}"
        is_excused = self.needs_redis and code in UNDECIDED
        hearing.verdict = Verdict.FAILED if is_excused or (hearing.status, code) == (self.status, self.code) else Verdict.WRONG


BAD_REQUESTS = (
    BadRequest(400, "invalid_json", b"not json"),
    BadRequest(400, "empty_body", b""),
    BadRequest(400, "json_not_an_object", b"[]"),
    BadRequest(400, "missing_model", b'{"messages":[]}'),
    BadRequest(400, "duplicate_key", b'{"model":"provider/soak","model":"provider/soak"}'),
    BadRequest(400, "json_too_deep", b'{"model":"provider/soak","x":' + b"[" * 1000 + b"]" * 1000 + b"}"),
    BadRequest(400, "invalid_path", path="/rollout_id/soak-bad/chat/completions"),
    BadRequest(400, "invalid_idempotency_key", headers=(("Idempotency-Key", "x" * 300),)),
    BadRequest(404, "unknown_project", path="/project_id/nobody" + IDS + "/chat/completions"),
    BadRequest(405, "method_not_allowed", b"{}", path=IDS + "/chat/completions", method="PUT"),
    BadRequest(404, "unknown_job", b"", path="/v1/jobs/01a203ac-966f-708b-8461-f0092eb2af62", method="GET", needs_redis=True),
)
