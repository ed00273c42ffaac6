"""The block of docs/clients.md for eval-protocol runs as it stands, with a rollout server that makes its rollouts."""

import json
import os
import subprocess
import sys

import pytest
from page import blocks
from processes import Gateway
from provider import ScriptedProvider, completion
from rollout_server import RolloutServer

DEADLINE = 120


async def four(call):
    await call.respond(completion("4"))


@pytest.fixture
def sums():
    provider = ScriptedProvider()
    provider.name("gpt-5-mini", four)
    yield provider
    provider.stop()
    assert provider.violations == []


def test_the_block_runs_as_it_stands(sums, tmp_path):
    [block] = [block for block in blocks() if block.heading == "eval-protocol"]
    folder = tmp_path / "gateway"
    folder.mkdir()
    gateway = Gateway(folder, {"accounts": {"openai": {"base_url": sums.base_url}}}, LANGFUSE_HOST="embedded")
    try:
        root = f"http://localhost:{gateway.port}"
        server = RolloutServer(root)
        try:
            (tmp_path / "test_sums.py").write_text(block.code, encoding="utf-8")
            environment = {
                **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "EP_"))},
                "HOME": str(tmp_path), "GATEWAY": root, "ROLLOUT_SERVER": server.url, "FIREWORKS_API_KEY": "client-key",
            }  # fmt: skip
            command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_sums.py"]
            ended = subprocess.run(
                command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE)
            assert ended.returncode == 0, ended.stdout + ended.stderr
        finally:
            server.stop()
        [rollout] = gateway.request("GET", "/rollouts").json["rollouts"]
        verdict = gateway.request("GET", f"/rollouts/{rollout['rollout_id']}?wait=20").json
        assert verdict["verdict"] == "complete" and verdict["expected"] >= 1, json.dumps(verdict)
    finally:
        gateway.stop()
