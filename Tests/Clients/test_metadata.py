"""Metadata that OpenAI's SDK sends in a header: it is traced, and the provider sees none of it."""

import json

import openai
import pytest
from provider import echo

QUESTION = [{"role": "user", "content": "hi"}]
CARRIERS = ["x-tfy-metadata", "x-portkey-metadata", "cf-aig-metadata", "x-litellm-tags", "helicone-property-app"]


@pytest.fixture(scope="module")
def tracing_gateway(start_gateway):
    """Keeps the traces itself, and reads Helicone's headers too."""
    return start_gateway(LANGFUSE_HOST="embedded", METADATA_HEADERS="helicone-property-*")


def client(gateway, rollout, **headers):
    return openai.OpenAI(
        base_url=gateway.url + rollout.path, api_key="client-key", max_retries=0, timeout=30, default_headers=headers)


@pytest.mark.parametrize("stream", [False, True])
def test_default_headers_are_traced_and_not_passed_on(tracing_gateway, provider, rollout, stream):
    headers = dict.fromkeys(CARRIERS[1:4], "{") | {
        "X-TFY-METADATA": json.dumps({"team": "search", "note": "é"}), "Helicone-Property-App": "chat"}
    model = provider.script(echo)
    body = {"model": f"scripted/{model}", "messages": QUESTION, "metadata": {"own": "body"}, "stream": stream}
    with client(tracing_gateway, rollout, **headers) as sdk:
        answer = sdk.chat.completions.create(**body)
        assert not stream or list(answer)
    [call] = provider.calls_of(model)
    assert [name for name in CARRIERS if call.header(name) is not None] == []
    assert call.json["metadata"] == {"own": "body"}
    assert tracing_gateway.request("GET", f"/rollouts/{rollout.rollout}?wait=30").json["verdict"] == "complete"
    query = f"/traces?tags=rollout_id:{rollout.rollout}&tags=team:search&tags=app:chat"
    [trace] = tracing_gateway.request("GET", query).json["traces"]
    assert {"team": "search", "note": "é", "app": "chat", "own": "body"}.items() <= trace["metadata"].items()
    origins = json.loads(trace["metadata"]["gateway_metadata_origins"])
    assert origins == {"team": "header", "note": "header", "app": "header"}


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_that_shall_not_be_logged_is_traced_without_its_words(tracing_gateway, provider, rollout, stream):
    """Both of TrueFoundry's headers: the verdict holds, and the trace has neither question nor answer."""
    model = provider.script(echo)
    for headers in [{"X-TFY-METADATA": '{"tfy_log_request": "false", "team": "legal"}'},
                    {"X-TFY-METADATA": '{"team": "legal"}', "X-TFY-LOGGING-CONFIG": '{"enabled": false}'}]:
        with client(tracing_gateway, rollout, **headers) as sdk:
            answer = sdk.chat.completions.create(
                model=f"scripted/{model}", messages=[{"role": "user", "content": "canary"}], stream=stream)
            assert not stream or list(answer)
    assert [call.header("x-tfy-logging-config") for call in provider.calls_of(model)] == [None, None]
    assert tracing_gateway.request("GET", f"/rollouts/{rollout.rollout}?wait=30").json["verdict"] == "complete"
    answer = tracing_gateway.request("GET", f"/traces?tags=rollout_id:{rollout.rollout}&tags=team:legal")
    traces = answer.json["traces"]
    assert len(traces) == 2 and "canary" not in json.dumps(answer.json)
    for trace in traces:
        assert trace["input"] is None and trace["output"] is None and (stream or trace["usage"])
        assert trace["metadata"]["gateway_content"] == "withheld" and "tfy_log_request" not in trace["metadata"]


def test_a_mistake_is_a_bad_request(tracing_gateway, provider, rollout):
    model = provider.script(echo)
    with client(tracing_gateway, rollout, **{"X-TFY-METADATA": '{"tfy_log_request": "no"}'}) as sdk:
        with pytest.raises(openai.BadRequestError) as refused:
            sdk.chat.completions.create(model=f"scripted/{model}", messages=QUESTION)
    assert refused.value.code == "invalid_metadata" and refused.value.param == "x-tfy-metadata"
    assert "tfy_log_request" in refused.value.message and "`true` or `false`" in refused.value.message
    assert provider.calls_of(model) == []
