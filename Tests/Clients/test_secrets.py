"""secrets.yaml changes while a gateway runs."""

import json

import pytest
from processes import Rollout
from provider import echo


def body(model):
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}]}).encode()


@pytest.fixture
def changing(start_gateway):
    """A gateway of its own, whose secrets the test may write."""
    return start_gateway(UPSTREAM_ATTEMPTS="1")


def test_a_change_of_the_secrets_is_taken_over_whole_or_not_at_all(changing, provider, eventually):
    gateway = changing
    file = gateway.secrets_file
    secrets = json.loads(file.read_text())
    path = f"{Rollout(project='new-project').path}/chat/completions"
    model = provider.script(echo)

    def key_of_next_call():
        assert gateway.request("POST", "/v1/chat/completions", body(f"owned/{model}")).status == 200
        return provider.calls_of(model)[-1].header("authorization")

    assert key_of_next_call() == "Bearer operator-key-that-only-its-own-host-may-see"
    assert gateway.request("POST", path, body(f"owned/{model}")).status == 404

    # The new key is good and the new project is not, so neither is taken.
    secrets["accounts"]["owned"]["key"] = "a-rotated-key"
    file.write_text(json.dumps({**secrets, "langfuse_keys": {**secrets["langfuse_keys"], "new-project": {"public_key": "pk"}}}))
    eventually(lambda: "the secrets stay as they were" in gateway.output)
    assert key_of_next_call() == "Bearer operator-key-that-only-its-own-host-may-see"
    assert gateway.request("POST", path, body(f"owned/{model}")).status == 404

    secrets["langfuse_keys"]["new-project"] = {"public_key": "pk-lf-new", "secret_key": "sk-lf-new"}
    file.write_text(json.dumps(secrets))
    eventually(lambda: gateway.request("POST", path, body(f"owned/{model}")).status == 200)
    assert key_of_next_call() == "Bearer a-rotated-key"

    del secrets["langfuse_keys"]["new-project"]
    file.write_text(json.dumps(secrets))
    eventually(lambda: gateway.request("POST", path, body(f"owned/{model}")).status == 404)
    assert "a-rotated-key" not in gateway.output and "sk-lf-new" not in gateway.output
