"""Each block of docs/clients.md runs as it stands, against a gateway whose provider answers as a model would."""

import json
import os
import re
import shlex
import subprocess
import sys
import uuid

import pytest
from model import ANSWER, as_a_model_would
from page import blocks
from processes import Gateway
from provider import ScriptedProvider

DEADLINE = 200
BIN = os.path.dirname(sys.executable)
# They run with their own packages and processes, in Tests/EvalProtocol and Tests/Clients.
ELSEWHERE = {"eval-protocol", "LiteLLM behind the gateway"}
# Blocks that make no completion.
WITHOUT_COMPLETION = {"OpenTelemetry exporters"}
# Inspect needs a newer openai than the others take.
BESIDE = {"Inspect": os.path.join(os.path.dirname(BIN), "openai-3")}
HEADINGS = [
    "OpenAI's SDK", "LangChain", "OpenAI Agents", "pydantic-ai", "DSPy", "instructor", "LiteLLM before the gateway",
    "LiteLLM behind the gateway", "Inspect", "lm-eval", "verifiers", "eval-protocol", "Langfuse's SDKs", "OpenTelemetry exporters",
]  # fmt: skip


@pytest.fixture(scope="session")
def provider():
    provider = ScriptedProvider()
    provider.name("gpt-5-mini", as_a_model_would)
    yield provider
    provider.stop()
    assert provider.violations == []


@pytest.fixture(scope="session")
def gateway(provider, tmp_path_factory):
    secrets = {"accounts": {"openai": {"base_url": provider.base_url}}}
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), secrets, LANGFUSE_HOST="embedded")
    yield gateway
    gateway.stop()


@pytest.fixture
def rollout():
    return f"rollout-{uuid.uuid4().hex}"


def environment(gateway, rollout, folder, heading):
    """The variables that the page has its reader set, and those that keep packages off the network."""
    root = f"http://localhost:{gateway.port}"
    exports = (gateway.data / "langfuse.env").read_text()
    keys = dict(re.findall(r"^export (LANGFUSE_\w+)='([^']*)'$", exports, re.MULTILINE))
    own = ("PYTHON", "LANGFUSE_", "OPENAI_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {
        **variables,
        **keys,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(folder),
        # What uv and Hugging Face's packages fetch stays with the packages.
        "UV_CACHE_DIR": os.path.join(os.path.dirname(BIN), "uv-cache"),
        "HF_HUB_OFFLINE": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "GATEWAY": root,
        "ROLLOUT": f"{root}/rollout_id/{rollout}/invocation_id/1/experiment_id/1/run_id/1/row_id/1",
        "OPENAI_API_KEY": "client-key",
        **({"PYTHONPATH": BESIDE[heading]} if heading in BESIDE else {}),
    }


def test_the_page_has_them_all():
    assert [heading for heading in dict.fromkeys(block.heading for block in blocks())] == HEADINGS
    assert {block.language for block in blocks()} == {"python", "sh"}


@pytest.mark.parametrize(
    "block",
    [pytest.param(each, id=f"{each.heading} {each.language}") for each in blocks() if each.heading not in ELSEWHERE]
)
def test_a_block_runs_as_it_stands(gateway, rollout, tmp_path, block):
    file = tmp_path / ("block.py" if block.language == "python" else "block.sh")
    file.write_text(block.code, encoding="utf-8")
    command = [sys.executable, str(file)] if block.language == "python" else ["bash", "-euo", "pipefail", str(file)]
    folder = tmp_path / "home"
    folder.mkdir()
    ended = subprocess.run(
        command, env=environment(gateway, rollout, folder, block.heading), cwd=tmp_path, capture_output=True,
        text=True, timeout=DEADLINE
    )
    assert ended.returncode == 0, shlex.join(command) + "\n" + ended.stdout + ended.stderr
    verdict = gateway.request("GET", f"/rollouts/{rollout}?wait=20")
    if block.heading in WITHOUT_COMPLETION:
        trace_id = ended.stdout.split()[-1]
        assert re.fullmatch("[0-9a-f]{32}", trace_id) and verdict.status == 404
        return
    assert verdict.status == 200 and verdict.json["verdict"] == "complete", verdict.body
    assert verdict.json["expected"] >= 1 and verdict.json["failed"] == 0
    traces = gateway.request("GET", f"/traces?tags=rollout_id:{rollout}").json["traces"]
    # What a framework was answered is in its trace, however it reads it.
    assert ANSWER in json.dumps([trace["output"] for trace in traces])
    if block.language == "python":
        assert ANSWER in ended.stdout
