"""What the tests share: one scripted provider, one gateway in front of it, and one in front of a real LiteLLM proxy."""

import os
import resource
import sys
import time

import pytest
from fixtures import provider  # noqa: F401
from openai import OpenAI
from processes import Gateway, LiteLLMProxy, Rollout

OPERATOR_KEY = "operator-key-that-only-its-own-host-may-see"
RULED_ACCOUNTS = ["openai-main", "bedrock", "azure", "aws"]
# Of both test projects; no call may carry one of them.
LANGFUSE_SECRETS = ["sk-lf-default-secret", "sk-lf-other-secret"]


def pytest_configure(config):
    """A thousand calls in flight need as many sockets on either side."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@pytest.fixture(scope="session")
def start_gateway(provider, tmp_path_factory):
    """Starts gateways whose secrets name the provider.

    `scripted` takes the client's key, the others have the operator's.
    """
    secrets = {
        "langfuse_keys": {
            "default-project": {"public_key": "pk-lf-default", "secret_key": LANGFUSE_SECRETS[0]},
            "other-project": {"public_key": "pk-lf-other", "secret_key": LANGFUSE_SECRETS[1]},
        },
        "default_project_id": "default-project",
        "accounts": {
            "scripted": {"base_url": provider.base_url},
            "owned": {"base_url": provider.base_url, "key": OPERATOR_KEY},
            # Of the rules: each has a path of its own, so that a script sees which was called.
            **{name: {"base_url": provider.url_of(name), "key": OPERATOR_KEY} for name in RULED_ACCOUNTS},
        },
    }
    started = []

    def start(**settings):
        started.append(Gateway(tmp_path_factory.mktemp("gateway"), secrets, **settings))
        return started[-1]

    yield start
    for gateway in started:
        gateway.stop()
        for secret in [OPERATOR_KEY, *LANGFUSE_SECRETS]:
            assert secret not in gateway.output


@pytest.fixture(scope="session")
def gateway(start_gateway):
    """Calls the provider directly, once a call, so that a test sees each failure as it is."""
    return start_gateway(DEFAULT_PROVIDER="scripted", UPSTREAM_ATTEMPTS="1")


@pytest.fixture(scope="session")
def litellm(provider, tmp_path_factory):
    proxy = LiteLLMProxy(tmp_path_factory.mktemp("litellm"), os.path.join(os.path.dirname(sys.executable), "litellm"), provider.base_url)
    yield proxy
    proxy.terminate()


@pytest.fixture(scope="session")
def litellm_gateway(start_gateway, litellm):
    """Sends every call to the LiteLLM proxy."""
    return start_gateway(LITELLM_URL=litellm.url, LITELLM_API_KEY=litellm.master_key, UPSTREAM_ATTEMPTS="1")


@pytest.fixture
def rollout():
    return Rollout()


@pytest.fixture
def sdk(gateway, rollout):
    """OpenAI's SDK, told to use the rollout's URL. It does not retry: a test sees the first answer."""
    with OpenAI(base_url=gateway.url + rollout.path, api_key="client-key", max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
def eventually():
    """Waits until a condition holds that no signal tells of, such as the content of Redis."""

    def wait(condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"

    return wait
