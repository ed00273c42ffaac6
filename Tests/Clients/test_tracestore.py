"""The embedded trace store takes what Langfuse's own clients write, and they read it back."""

import base64
import http.client
import json
import os
import re
import stat
import subprocess
import sys
import urllib.parse
import uuid

import pytest
from processes import DEADLINE, Server

FOLDER = os.path.dirname(__file__)


class TraceStore(Server):
    """`metadata-gateway tracestore` in a fresh data folder. Its project has no keys in a secrets file; they are read from the file that it writes."""

    def __init__(self, directory, **settings):
        self.directory = directory
        environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "DATA_DIR": str(directory / "data"), "TRACESTORE_PORT": "0", **settings}
        super().__init__([os.environ["GATEWAY_BINARY"], "tracestore"], environment, directory)
        file = directory / "data" / "langfuse.env"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        self.clients = dict(re.findall(r"^export (LANGFUSE_\w+)='([^']*)'$", file.read_text(), re.MULTILINE))

    def run(self, script, *arguments, **environment):
        """Runs a client with the store in its environment; gives what it printed."""
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.directory), **self.clients, **environment}
        ended = subprocess.run(
            [sys.executable, os.path.join(FOLDER, script), *arguments], env=variables, capture_output=True, text=True, timeout=DEADLINE
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def observations(self, **parameters):
        key = f"{self.clients['LANGFUSE_PUBLIC_KEY']}:{self.clients['LANGFUSE_SECRET_KEY']}".encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            path = "/api/public/v2/observations?" + urllib.parse.urlencode(parameters)
            connection.request("GET", path, headers={"Authorization": "Basic " + base64.b64encode(key).decode()})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            return json.loads(body)["data"]
        finally:
            connection.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = TraceStore(tmp_path_factory.mktemp("tracestore"))
    yield store
    assert store.terminate() == 0, store.output
    assert store.clients["LANGFUSE_SECRET_KEY"] not in store.output


@pytest.fixture(params=["5", "3"])
def sdk(request):
    """The environment in which the SDK of that version is found."""
    return {} if request.param == "5" else {"PYTHONPATH": os.environ["LANGFUSE_3"]}


def test_langfuse_s_sdk_writes_and_reads(store, sdk):
    tag, count = f"rollout_id:{uuid.uuid4()}", 5
    found = json.loads(store.run("tracestore_sdk.py", tag, str(count), **sdk))
    assert found["version"].startswith("3." if sdk else "5.")
    generations = [row for row in found["rows"] if row["type"] == "GENERATION"]
    assert {row["traceId"] for row in generations} == set(found["trace_ids"]) and len(found["trace_ids"]) == count
    newest = max(generations, key=lambda row: row["startTime"])
    assert newest["traceId"] == found["trace_ids"][-1] and newest["projectId"] == "local"
    assert json.loads(newest["input"]) == [{"role": "user", "content": "é"}]
    assert json.loads(newest["output"]) == {"role": "assistant", "content": "answer 4"}
    assert sorted(newest["tags"]) == ["number:4", tag] and newest["sessionId"] == f"session-{tag}" and newest["userId"] == "somebody"
    assert newest["usageDetails"]["input"] == 5 and newest["providedModelName"] == "m1" and newest["traceName"] == "a trace"
    if "metrics" in found:
        assert found["metrics"] == [{"count_count": str(len(found["rows"]))}]
        return
    assert set(found["listed"]) == set(found["trace_ids"]) and found["total"] == count
    assert found["trace"]["id"] == found["trace_ids"][0] and found["trace"]["input"] == {"question": 0} and found["trace"]["output"] == "done"
    assert {observation["name"] for observation in found["trace"]["observations"]} == {"agent", "call"}
    assert tag in found["trace"]["tags"] and found["trace"]["userId"] == "somebody"


def test_scores_that_langfuse_s_sdk_writes_are_kept(store, sdk):
    unique = str(uuid.uuid4())
    found = json.loads(store.run("tracestore_scores.py", unique, **sdk))
    assert found["version"].startswith("3." if sdk else "5.")

    def value(score):
        return score.get("stringValue") if sdk and score["dataType"] != "NUMERIC" else score["value"]

    assert {score["name"]: value(score) for score in found["trace"]} == {
        "of the span": 0.25, "of the trace": "good", "truth": "True" if sdk else True,
    }  # fmt: skip
    [of_the_span] = [score for score in found["trace"] if score["name"] == "of the span"]
    assert of_the_span["comment"] == "a comment" and of_the_span["metadata"] == {"by": "a judge"}
    subject = of_the_span["observationId"] if sdk else of_the_span["subject"]["id"]
    assert subject == found["observation_id"]
    [truth] = [score for score in found["trace"] if score["name"] == "truth"]
    assert truth["id"] == f"truth {unique}" and truth["source"] == "API"
    assert [value(score) for score in found["session"]] == ["some words"]
    assert [(score["name"], value(score)) for score in found["experiment"]] == [("right", 1.0)] * 3
    assert {score["comment"] for score in found["experiment"]} == {f"{number} becomes {2 * number}" for number in range(3)}
    assert "does not serve `datasets`" in found["dataset"]
    if sdk:
        assert found["whole"] == ["of the span", "of the trace", "truth"]
        assert found["observations"] == [found["observation_id"]] and found["observation"] == "scored"


def test_litellm_s_callback_exports(store):
    rollout = str(uuid.uuid4())
    store.run("tracestore_litellm.py", rollout, LITELLM_LOCAL_MODEL_COST_MAP="True", LANGFUSE_OTEL_HOST=store.url)
    condition = [{"type": "arrayOptions", "column": "tags", "operator": "any of", "value": [f"rollout_id:{rollout}"]}]
    rows = store.observations(filter=json.dumps(condition), fields="core,basic,io,usage,model,trace_context")
    assert [row["type"] for row in rows] == ["GENERATION"] * 3
    # The newest first; a tag that holds a comma is one tag.
    assert [row["tags"][:2] for row in rows] == [[f"rollout_id:{rollout}", f"row_id:a,{number}"] for number in (2, 1, 0)]
    assert json.loads(rows[0]["input"]) == [{"role": "user", "content": "question 2"}]
    assert "answer 2" in rows[0]["output"] and rows[0]["usageDetails"]["total"] > 0 and rows[0]["environment"] == "production"
