"""A real LiteLLM proxy as the backend: it must accept what the gateway sends, and understand it."""

import json

import openai
import pytest
from conftest import LANGFUSE_SECRETS
from openai import OpenAI
from processes import Rollout
from provider import Signal, chunk, completion, echo

QUESTION = [{"role": "user", "content": "one two three"}]


@pytest.fixture
def sdk(litellm_gateway, rollout):
    with OpenAI(base_url=litellm_gateway.url + rollout.path, api_key="client-key", max_retries=0, timeout=60) as client:
        yield client


def test_a_completion_goes_through_with_the_client_s_key(litellm_gateway, sdk, provider, rollout):
    model = provider.script(echo)
    raw = sdk.chat.completions.with_raw_response.create(model=model, messages=QUESTION)
    assert raw.parse().choices[0].message.content == "one two three"
    assert litellm_gateway.ids(rollout) == {raw.headers["x-insertion-id"]}
    [call] = provider.calls_of(model)
    assert call.header("authorization") == "Bearer client-key"


def test_a_stream_goes_through_as_it_comes(sdk, provider):
    received = Signal()

    async def waits_for_the_reader(call):
        await call.begin()
        for number in range(20):
            await call.event(chunk(f"{number} "))
        await received.reached()
        await call.event(chunk(None, "stop"))
        await call.event("[DONE]")
        await call.end()

    stream = sdk.chat.completions.create(model=provider.script(waits_for_the_reader), messages=QUESTION, stream=True)
    text = next(stream).choices[0].delta.content
    received.set()
    text += "".join(piece.choices[0].delta.content or "" for piece in stream)
    assert text == "".join(f"{number} " for number in range(20))


def test_litellm_understands_the_tags(litellm_gateway, sdk, provider, rollout):
    reported = Signal()
    reports = []

    async def takes_reports(call):
        await call.respond({})
        if call.json["of"] == model:
            reports.append(call.json)
            reported.set()

    model = provider.script(echo)
    # LiteLLM posts its report to a path of the provider's, under this name (litellm_report.py).
    provider.name("litellm-report", takes_reports)
    raw = sdk.chat.completions.with_raw_response.create(model=model, messages=QUESTION, extra_body={"metadata": {"tags": ["mine"]}})
    reported.wait()
    expected = ["mine", *rollout.tags]
    expected.insert(2, f"insertion_id:{raw.headers['x-insertion-id']}")
    # LiteLLM adds tags of its own, such as the caller's user agent, behind them.
    assert reports[0]["tags"][: len(expected)] == expected


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_a_failure_behind_litellm_is_a_failure_here(litellm_gateway, sdk, provider, rollout, status):
    async def refuses(call):
        await call.respond({"error": {"message": f"scripted {status}", "type": "t", "param": None, "code": "c"}}, status=status)

    with pytest.raises(openai.APIStatusError) as raised:
        sdk.chat.completions.create(model=provider.script(refuses), messages=QUESTION)
    assert raised.value.status_code == status
    assert litellm_gateway.ids(rollout) == set()


def test_a_compressed_answer_of_litellm_arrives_whole(litellm_gateway, provider, rollout):
    text = "a text that compresses well " * 4000

    async def is_long(call):
        await call.respond(completion(text))

    body = json.dumps({"model": provider.script(is_long), "messages": QUESTION}).encode()
    answer = litellm_gateway.request("POST", f"{rollout.path}/chat/completions", body)
    assert answer.json["choices"][0]["message"]["content"] == text


def test_the_catch_all_reaches_litellm(litellm_gateway):
    answer = litellm_gateway.request("GET", "/v1/models")
    assert answer.status == 200
    assert answer.json["object"] == "list"


@pytest.fixture(scope="module")
def as_litellm(provider, start_gateway):
    """Gateways whose LiteLLM proxy is the scripted provider, so that the exact request can be read; by LITELLM_TRACES."""
    return {
        traces: start_gateway(LITELLM_URL=provider.base_url, LITELLM_API_KEY="key-of-litellm", LITELLM_TRACES=traces)
        for traces in ["false", "true"]
    }


def exact_request(gateway, provider, rollout):
    """Sends one completion; gives its insertion id and what the proxy got."""
    model = provider.script(echo)
    body = f'{{"model":"{model}","temperature":1.0,"messages":[{{"role":"user","content":"x"}}],"metadata":{{"tags":["mine"],"other":1e5}}}}'
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", body.encode())
    assert answer.status == 200
    [call] = provider.calls_of(model)
    return answer.headers["x-insertion-id"], call


def test_litellm_gets_its_own_key_the_client_s_key_and_the_tags_in_order(as_litellm, provider, rollout):
    insertion_id, call = exact_request(as_litellm["false"], provider, rollout)
    assert call.path == "/v1/chat/completions"
    assert call.header("authorization") == "Bearer key-of-litellm"
    assert call.json["api_key"] == "client-key"
    tags = ["mine", *rollout.tags]
    tags.insert(2, f"insertion_id:{insertion_id}")
    assert call.json["metadata"] == {"tags": tags, "other": 1e5}
    assert b'"temperature":1.0,' in call.body and b'"other":1e5' in call.body


def test_litellm_gets_langfuse_keys_only_when_it_does_the_tracing(as_litellm, provider):
    for traces, project, secret in [("true", None, LANGFUSE_SECRETS[0]), ("true", "other-project", LANGFUSE_SECRETS[1]), ("false", None, None)]:
        _, call = exact_request(as_litellm[traces], provider, Rollout(project=project))
        if secret is None:
            assert b"langfuse" not in call.body and b"-lf-" not in call.body
        else:
            assert call.json["langfuse_secret_key"] == secret
            assert call.json["langfuse_public_key"].startswith("pk-lf-")
            assert call.json["langfuse_host"] == "http://127.0.0.1:1"
