"""What the tests share: one gateway with two projects, one that nobody has configured, and a scripted provider."""

import time
import uuid

import pytest
from fixtures import provider  # noqa: F401
from processes import Gateway

PROJECTS = {name: {"public_key": f"pk-lf-{name}", "secret_key": f"sk-lf-{name}"} for name in ["default-project", "other-project"]}


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    secrets = {"langfuse_keys": PROJECTS, "default_project_id": "default-project"}
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), secrets)
    yield gateway
    gateway.stop()


@pytest.fixture(scope="session")
def fresh_gateway(tmp_path_factory):
    """As `metadata-gateway serve` starts for somebody who has set nothing: with a trace store of its own."""
    gateway = Gateway(tmp_path_factory.mktemp("fresh-gateway"))
    yield gateway
    gateway.stop()


@pytest.fixture
def rollout():
    return f"rollout-{uuid.uuid4().hex}"


@pytest.fixture
def eventually():
    """Waits until a condition holds that no signal tells of."""

    def wait(condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"

    return wait
