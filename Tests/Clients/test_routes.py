"""The other faces of the gateway: health, the catch-all, models without a provider, and what it says about a wrong request."""

import json

import pytest
from openai import OpenAI
from provider import echo

QUESTION = [{"role": "user", "content": "one two three"}]


def test_health_says_alive(gateway):
    answer = gateway.request("GET", "/health", key=None)
    assert answer.status == 200
    assert answer.json["status"] == "healthy"
    assert answer.json["service"] == "metadata-proxy"


def test_ready_says_that_redis_and_a_forwarder_are_there(gateway):
    assert gateway.request("GET", "/ready", key=None).status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_mock_model_answers_without_a_provider(gateway, rollout, stream):
    with OpenAI(base_url=gateway.url + rollout.path, api_key="none", max_retries=0) as client:
        answer = client.chat.completions.create(model="mock/echo?chunks=3", messages=QUESTION, stream=stream)
        text = "".join(piece.choices[0].delta.content or "" for piece in answer) if stream else answer.choices[0].message.content
    assert text == "one two three"
    assert len(gateway.ids(rollout)) == 1


def test_a_mock_model_fails_as_it_is_told(gateway, rollout):
    body = json.dumps({"model": "mock/echo?status=429&retry_after=3", "messages": QUESTION}).encode()
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", body)
    assert (answer.status, answer.headers["retry-after"]) == (429, "3")
    assert gateway.ids(rollout) == set()


@pytest.mark.parametrize("prefix", ["", "/v1", "/project_id/other-project", "/v1/project_id/other-project"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/models?limit=2&after=a%2Fb", None),
        ("DELETE", "/files/file-1", None),
        ("PUT", "/things", b'{"n":1.0}'),
        ("POST", "/files", b"\xff\x00"),
    ],
)
def test_any_other_path_goes_to_the_default_provider(gateway, provider, prefix, method, path, body):
    seen = []

    async def answers(call):
        seen.append(call)
        await call.respond(b"anything \xff", status=202, headers=[("content-type", "application/octet-stream")])

    with provider.other_paths(answers):
        answer = gateway.request(method, prefix + path, body, headers=[("Content-Type", "application/octet-stream")])
    assert (answer.status, answer.body) == (202, b"anything \xff")
    assert answer.headers["content-type"] == "application/octet-stream"
    [call] = seen
    assert (call.method, call.path, call.body) == (method, "/v1" + path, body or b"")
    assert call.header("authorization") == "Bearer client-key"


IDS = "/rollout_id/r/invocation_id/i/experiment_id/e/run_id/u/row_id/w"


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/rollout_id/r/chat/completions", "invocation_id"),
        ("/rollout_id/r/invocation_id/i/experiment_id/e/run_id/u/chat/completions", "row_id"),
        ("/rollout_id/r/experiment_id/e/invocation_id/i/run_id/u/row_id/w/chat/completions", "experiment_id"),
        (f"/rollout_id/r{IDS}/chat/completions", "rollout_id"),
        ("/rollout_id//invocation_id/i/experiment_id/e/run_id/u/row_id/w/chat/completions", "rollout_id"),
        (f"/rollout_id/{'x' * 129}/invocation_id/i/experiment_id/e/run_id/u/row_id/w/chat/completions", "rollout_id"),
        ("/rollout_id/a%2Fb/invocation_id/i/experiment_id/e/run_id/u/row_id/w/chat/completions", "rollout_id"),
        ("/rollout_id/a%00b/invocation_id/i/experiment_id/e/run_id/u/row_id/w/chat/completions", "rollout_id"),
        (f"{IDS}/encoded_base_url/%21%21%21/chat/completions", "encoded_base_url"),
    ],
)
@pytest.mark.parametrize("version", ["", "/v1"])
def test_a_wrong_metadata_path_is_explained(gateway, version, path, named):
    answer = gateway.request("POST", version + path, json.dumps({"model": "mock/echo", "messages": QUESTION}).encode())
    assert answer.status == 400
    assert named in answer.json["error"]["message"]
    assert answer.json["detail"] == answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        (b'{"messages":[]}', 400),
        (b'{"model":7}', 400),
        (b'{"model":"mock/echo","model":"mock/echo"}', 400),
        (b'{"model":"mock/echo","x":"\xff"}', 400),
        (b'{"model":"mock/echo","x":' + b"[" * 1000 + b"]" * 1000 + b"}", 400),
        (b'{"model":"mock/echo","x":"' + b"x" * (17 << 20) + b'"}', 413),
        (b'{"model":"nobody-has-this-prefix/model","messages":[]}', 400),
        (b'{"model":"mock/echo?no_such_option=1","messages":[]}', 400),
    ],
    ids=[
        *["empty", "no json", "no object", "no model", "model is a number", "duplicate", "no utf-8", "deep", "large"],
        *["unknown provider", "unknown option"],
    ],
)
def test_a_wrong_body_is_explained_and_reaches_nothing(gateway, rollout, body, status):
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", body)
    assert answer.status == status
    error = answer.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"] and error["type"] and error["code"]
    assert gateway.ids(rollout) == set()


def test_too_many_headers_are_refused(gateway, rollout):
    many = [(f"x-{number}", "v") for number in range(500)]
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", b'{"model":"mock/echo","messages":[]}', headers=many)
    assert answer.status == 431


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/health", None),
        ("GET", "/ready", None),
        ("POST", "/rollout_id/r/chat/completions", b"{}"),
        ("POST", f"{IDS}/chat/completions", b"not json"),
        ("POST", "/project_id/nobody/chat/completions", b"{}"),
        ("POST", f"{IDS}/chat/completions", b'{"model":"mock/echo?status=500","messages":[]}'),
        ("POST", f"{IDS}/chat/completions", b'{"model":"mock/echo","messages":[{"role":"user","content":"x"}]}'),
    ],
)
def test_every_answer_carries_its_ids(gateway, method, path, body):
    headers = gateway.request(method, path, body).headers
    assert headers["x-insertion-id"]
    assert headers["x-request-id"]


def test_an_answer_of_the_provider_is_passed_on_and_not_asked_for_again(gateway, provider, rollout):
    async def is_busy(call):
        await call.respond({"error": {"message": "try again"}}, status=503, headers=[("retry-after", "1")])

    model = provider.script(is_busy)
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", json.dumps({"model": f"scripted/{model}", "messages": QUESTION}).encode())
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert len(provider.calls_of(model)) == 1
    assert gateway.ids(rollout) == set()
