"""The block of docs/clients.md for LiteLLM behind the gateway runs as it stands, with a real proxy."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest
from openai import OpenAI
from page import blocks
from processes import DEADLINE, Rollout
from provider import ScriptedProvider, completion

PROJECT = os.path.join(os.path.dirname(__file__), "..", "..")
GATEWAY = re.compile(r"metadata-gateway \S+ listens on (http://\S+)")
PROXY = re.compile(r"Uvicorn running on http://")


class Script:
    """A script whose commands run on in the foreground and the background; all of them end with their process group."""

    def __init__(self, code, folder, environment):
        self._lines, self._printed = [], threading.Condition()
        self.process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", code], env=environment, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self):
        return "".join(self._lines)

    def wait_for(self, pattern):
        """Waits until it has printed what the pattern finds."""
        with self._printed:
            found = self._printed.wait_for(lambda: pattern.search(self.output) or self.process.poll() is not None, 2 * DEADLINE)
        match = pattern.search(self.output)
        assert found and match, self.output
        return match

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(DEADLINE)
            self._reader.join(DEADLINE)
        finally:
            # Its processes have one group, which ends with the last of them.
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def _read(self):
        for line in self.process.stdout:
            with self._printed:
                self._lines.append(line)
                self._printed.notify_all()
        with self._printed:
            self._printed.notify_all()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def sums():
    async def four(call):
        await call.respond(completion("4"))

    provider = ScriptedProvider()
    provider.name("gpt-5-mini", four)
    yield provider
    provider.stop()
    assert provider.violations == []


def test_litellm_behind_the_gateway(sums, tmp_path):
    [block] = [block for block in blocks() if block.heading == "LiteLLM behind the gateway"]
    folder = tmp_path / "bin"
    folder.mkdir()
    os.symlink(os.environ["GATEWAY_BINARY"], folder / "metadata-gateway")
    environment = {
        "PATH": f"{folder}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "DATA_DIR": str(tmp_path / "data"),
        "PORT": "0",
        "TRACESTORE_PORT": "0",
        "LITELLM_PORT": str(free_port()),
        # Where the proxy finds OpenAI, and no list of prices from the network.
        "OPENAI_BASE_URL": sums.base_url,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        # The proxy's own traces lead nowhere: the gateway's are meant.
        "LANGFUSE_PUBLIC_KEY": "pk-lf-none",
        "LANGFUSE_SECRET_KEY": "sk-lf-none",
        "LANGFUSE_OTEL_HOST": "http://127.0.0.1:1",
    }
    script = Script(block.code, PROJECT, environment)
    try:
        root = script.wait_for(GATEWAY).group(1)
        script.wait_for(PROXY)
        rollout = Rollout()
        with OpenAI(base_url=root + rollout.path, api_key="client-key", max_retries=0, timeout=DEADLINE) as client:
            answer = client.chat.completions.create(
                model="openai/gpt-5-mini", messages=[{"role": "user", "content": "What is 2+2?"}])
        assert answer.choices[0].message.content == "4"
        [call] = sums.calls_of("gpt-5-mini")
        # It came by way of the proxy, with the client's key.
        assert call.header("authorization") == "Bearer client-key" and call.json["model"] == "gpt-5-mini"
        with OpenAI(base_url=root, api_key="client-key", max_retries=0, timeout=DEADLINE) as client:
            verdict = client.get(f"/rollouts/{rollout.rollout}?wait=20", cast_to=object)
        assert verdict["verdict"] == "complete" and verdict["expected"] == 1
    finally:
        script.stop()
