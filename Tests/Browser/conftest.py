"""What the tests share: a gateway that asks for no keys, one with keys of two projects, and browsers."""

import hashlib
import json
import time

import pytest
import traffic
from browser import Browser
from fixtures import provider  # noqa: F401
from processes import Gateway

OPERATED = {"alpha": "sk-operated-alpha-0123456789", "admin": "sk-operated-admin-0123456789"}
KEYS = {"alpha": "sk-key-of-alpha-0123456789", "beta": "sk-key-of-beta-0123456789"}


@pytest.fixture(scope="session")
def eventually():
    def wait(condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"

    return wait


@pytest.fixture(scope="session")
def gateway(tmp_path_factory, eventually):
    """Open to its own machine, with some traffic behind it, some of it hostile."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    traffic.some(gateway, 60)
    for name, text in traffic.HOSTILE.items():
        traffic.call(gateway, rollout="hostile", row=name, metadata={"customer-id": text, name: text},
                     messages=[{"role": "system", "content": text}, {"role": "user", "content": text * 20}])
    eventually(lambda: traffic.settled(gateway, 65))
    eventually(lambda: gateway.request("GET", "/rollouts/hostile?wait=30").json["verdict"] == "complete")
    yield gateway
    gateway.stop()


@pytest.fixture(scope="session")
def keyed_gateway(tmp_path_factory, eventually):
    """Asks for a key; each of two keys opens a project of its own."""
    folder = tmp_path_factory.mktemp("keyed-gateway")
    keys = folder / "keys.yaml"
    write_keys(keys, KEYS)
    # Without Langfuse's keys nothing is traced; the log has its rows all the same.
    secrets = {"langfuse_keys": {name: {"public_key": f"pk-lf-{name}", "secret_key": f"sk-lf-{name}"} for name in KEYS},
               "default_project_id": "alpha"}
    gateway = Gateway(folder, secrets, API_KEYS_PATH=str(keys))
    for project, key in KEYS.items():
        traffic.call(gateway, project=project, rollout=f"rollout-of-{project}", metadata={"owner": f"owner-{project}"}, key=key)
        eventually(lambda project=project, key=key: traffic.settled(gateway, 1, project, key))
    gateway.keys_file = keys
    yield gateway
    gateway.stop()


@pytest.fixture(scope="session")
def operated_gateway(tmp_path_factory):
    """Asks for a key; `alpha` opens a project, `admin` is the operator's."""
    folder = tmp_path_factory.mktemp("operated-gateway")
    keys = folder / "keys.yaml"
    write_keys(keys, OPERATED, admins=["admin"])
    langfuse_keys = {"alpha": {"public_key": "pk-lf-alpha", "secret_key": "sk-lf-alpha"}}
    secrets = {"langfuse_keys": langfuse_keys, "default_project_id": "alpha"}
    gateway = Gateway(folder, secrets, API_KEYS_PATH=str(keys))
    yield gateway
    gateway.stop()


@pytest.fixture
def ruled_gateway(tmp_path):
    """Like the one before, with a rule."""
    write_keys(tmp_path / "keys.yaml", OPERATED, admins=["admin"])
    (tmp_path / "rules.yaml").write_text(
        "type: gateway-rate-limiting-config\nrules:\n"
        "  - {id: once-a-day, when: {metadata: {team: search}}, limit_to: 1, unit: requests_per_day}\n")
    langfuse_keys = {"alpha": {"public_key": "pk-lf-alpha", "secret_key": "sk-lf-alpha"}}
    secrets = {"langfuse_keys": langfuse_keys, "default_project_id": "alpha"}
    settings = {"API_KEYS_PATH": str(tmp_path / "keys.yaml"), "CONFIG_PATH": str(tmp_path / "rules.yaml")}
    gateway = Gateway(tmp_path, secrets, **settings)
    yield gateway
    gateway.stop()


def write_keys(file, keys, admins=()):
    entries = [{"id": name, "account": f"team-{name}", "projects": "*" if name in admins else [name], "admin": name in admins,
                "sha256": hashlib.sha256(key.encode()).hexdigest()} for name, key in keys.items()]
    file.write_text(json.dumps({"keys": entries}))


@pytest.fixture
def start_browser():
    """Starts browsers; none may have complained, or have asked anyone but a gateway of the tests."""
    started = []

    def start(**settings):
        started.append(Browser(**settings))
        return started[-1]

    yield start
    try:
        for browser in started:
            complaints = [text for text in browser.complaints() if "status of 4" not in text]
            assert complaints == []
            for url in browser.fetched():
                assert url.startswith(("http://127.0.0.1:", "data:")), url
    finally:
        for browser in started:
            browser.stop()


@pytest.fixture
def browser(start_browser):
    return start_browser()
