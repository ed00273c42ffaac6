"""What the tests share: one gateway with two projects."""

import uuid

import pytest
from processes import Gateway

PROJECTS = {name: {"public_key": f"pk-lf-{name}", "secret_key": f"sk-lf-{name}"} for name in ["default-project", "other-project"]}


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    secrets = {"langfuse_keys": PROJECTS, "default_project_id": "default-project"}
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), secrets)
    yield gateway
    gateway.stop()


@pytest.fixture
def rollout():
    return f"rollout-{uuid.uuid4().hex}"
