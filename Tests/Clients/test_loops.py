"""A gateway that is its own provider: one request is one job, whichever way it comes back."""

import base64
import json
import os
import socket
import subprocess

import pytest
from processes import DEADLINE, Gateway, Rollout


@pytest.fixture
def start(tmp_path_factory):
    started = []

    def start(accounts=None, **settings):
        secrets = {"accounts": {name: {"base_url": url} for name, url in (accounts or {}).items()}}
        started.append(Gateway(tmp_path_factory.mktemp("loop"), secrets, **settings))
        return started[-1]

    yield start
    for gateway in started:
        gateway.stop()


def ask(gateway, model, base_url=None, headers=()):
    rollout = Rollout()
    encoded = f"/encoded_base_url/{base64.urlsafe_b64encode(base_url.encode()).decode()}" if base_url else ""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]}).encode()
    answer = gateway.request("POST", f"{rollout.path}{encoded}/chat/completions", body, headers)
    assert (gateway.ids(rollout) != set()) == (answer.status == 200)
    return answer


def is_loop(answer):
    return (answer.status, answer.json["error"]["code"], answer.headers["x-should-retry"]) == (508, "loop_detected", "false")


def test_a_request_that_comes_back_is_refused(start):
    gateway = start()
    assert is_loop(ask(gateway, "x", f"{gateway.url}/v1"))
    assert is_loop(ask(gateway, "x", f"http://localhost:{gateway.port}"))


def test_a_loop_through_two_gateways_breaks(start):
    first = start()
    second = start({"back": f"{first.url}/v1"}, DEFAULT_PROVIDER="back")
    assert is_loop(ask(first, "back/mock/echo", f"{second.url}/v1"))
    # A catch-all call with a proxy's mark on it.
    assert is_loop(ask(first, "x", f"{second.url}/v1", {"Via": "1.1 proxy"}))


def test_two_gateways_in_a_row_pass_a_request(start, provider):
    async def answers(call):
        await call.respond({"choices": [{"index": 0, "message": {"content": call.header("via")}, "finish_reason": "stop"}]})

    model = provider.script(answers)
    second = start({"scripted": provider.base_url})
    first = start({"second": f"{second.url}/v1"})
    answer = ask(first, f"second/scripted/{model}", headers={"Via": "1.0 mine"})
    assert answer.status == 200
    marks = answer.json["choices"][0]["message"]["content"].split(", ")
    assert marks[0] == "1.0 mine"
    assert len(set(marks)) == 3 and all(mark.startswith("1.1 metadata-gateway-") for mark in marks[1:])
    assert ask(first, "second/mock/echo").status == 200


@pytest.mark.parametrize(
    "name,host", [("OPENAI_BASE_URL", "127.0.0.1"), ("OPENAI_BASE_URL", "localhost"), ("OLLAMA_API_BASE", "0.0.0.0"), ("LITELLM_URL", "[::1]")]
)
def test_a_base_url_of_the_gateway_s_own_stops_the_start(tmp_path, name, host):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"PATH": os.environ["PATH"], "PORT": str(port), name: f"http://{host}:{port}/v1"}
    ended = subprocess.run([os.environ["GATEWAY_BINARY"], "check"], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE)
    assert ended.returncode == 78
    assert f"environment: {name}: error: leads to this gateway itself" in ended.stderr
