"""Scores that eval-protocol's adapter of Langfuse uploads are kept by the embedded trace store, and shown beside the traces."""

import json
import re

import pytest
from eval_protocol.adapters.fireworks_tracing import FireworksTracingAdapter
from eval_protocol.adapters.langfuse import LangfuseAdapter
from eval_protocol.models import EvaluateResult
from openai import OpenAI
from processes import DEADLINE, Rollout


@pytest.fixture
def langfuse(fresh_gateway, monkeypatch):
    """The adapter with the environment that `data/langfuse.env` gives."""
    exports = (fresh_gateway.data / "langfuse.env").read_text()
    for name, value in re.findall(r"^export (LANGFUSE_\w+)='([^']*)'$", exports, re.MULTILINE):
        monkeypatch.setenv(name, value)
    return LangfuseAdapter()


def completed(gateway, count):
    """A rollout of so many completions."""
    rollout = Rollout()
    with OpenAI(base_url=gateway.url + rollout.path, api_key="client-key", max_retries=0, timeout=DEADLINE) as client:
        for number in range(count):
            client.chat.completions.create(model="mock/echo", messages=[{"role": "user", "content": f"question {number}"}])
    return rollout


def traces(gateway, rollout, query=""):
    answer = gateway.request("GET", f"/traces?tags=rollout_id:{rollout.rollout}{query}")
    assert answer.status == 200, answer.body
    return answer.json["traces"]


def test_uploaded_scores_stand_beside_the_traces(fresh_gateway, langfuse, eventually):
    rollout = completed(fresh_gateway, 3)
    rows = FireworksTracingAdapter(base_url=fresh_gateway.url).get_evaluation_rows(tags=[f"rollout_id:{rollout.rollout}"])
    [row] = rows
    scored = row.input_metadata.session_data["langfuse_trace_id"]
    row.evaluation_result = EvaluateResult(score=0.25, is_score_valid=True)
    langfuse.upload_scores(rows, "model under test", 0.75)
    langfuse.upload_score(row, "this row")
    langfuse.client.flush()
    eventually(lambda: len(next(trace for trace in traces(fresh_gateway, rollout) if trace["id"] == scored)["scores"]) == 2)
    found = traces(fresh_gateway, rollout)
    assert len(found) == 3
    for trace in found:
        shown = {(score["name"], score["value"], score["data_type"]) for score in trace["scores"]}
        assert shown == ({("model under test", 0.75, "NUMERIC"), ("this row", 0.25, "NUMERIC")} if trace["id"] == scored else set())
    assert all("scores" not in trace for trace in traces(fresh_gateway, rollout, "&fields=output"))
    [newest] = fresh_gateway.request("GET", f"/traces/pointwise?tags=rollout_id:{rollout.rollout}&fields=scores").json["traces"]
    assert newest == {"id": newest["id"], "scores": next(trace["scores"] for trace in found if trace["id"] == newest["id"])}


def test_the_adapter_of_langfuse_reads_the_rollout_s_traces(fresh_gateway, langfuse):
    """Its own way to rows: the older API's list, and then trace by trace."""
    rollout = completed(fresh_gateway, 2)
    assert len(traces(fresh_gateway, rollout)) == 2
    rows = langfuse.get_evaluation_rows(tags=[f"rollout_id:{rollout.rollout}"], limit=10, sleep_between_gets=0)
    questions = {json.dumps([message.content for message in row.messages]) for row in rows}
    assert questions == {json.dumps([f"question {number}"] * 2) for number in range(2)}
