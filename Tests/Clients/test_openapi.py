"""The OpenAPI document that the gateway serves: valid, complete, and true of the running gateway."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate
from processes import Gateway

ROOT = Path(__file__).parents[2]
METHODS = {"get", "post", "put", "patch", "delete"}
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "allow_header_conformance",
]


@pytest.fixture(scope="module")
def plain_gateway(tmp_path_factory):
    """A gateway that is configured in nothing: its models are the mock's, its trace store and request log its own."""
    gateway = Gateway(tmp_path_factory.mktemp("openapi"))
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def document(plain_gateway):
    answer = plain_gateway.request("GET", "/openapi.json", key=None)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    return answer.json


def test_it_is_openapi(document):
    validate(document)
    assert document["openapi"].startswith("3.1.")


def test_it_is_of_this_version(document):
    shown = subprocess.run([os.environ["GATEWAY_BINARY"], "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert document["info"]["version"] == shown.stdout.strip()


def test_it_has_each_route_of_the_api_document(document):
    text = (ROOT / "docs/api.md").read_text()
    routes = {(method.lower(), path) for method, path in re.findall(r"`(GET|POST|PUT|DELETE) (/[^\s`?]*)[^`]*`", text)}
    described = {(method, path) for path, item in document["paths"].items() for method in METHODS & item.keys()}
    # Of a provider's own paths there is the catch-all.
    passed_on = {("post", "/v1/embeddings"), ("get", "/v1/models"), ("get", "/v1/models/openai/gpt-4o")}
    assert len(routes - passed_on) > 15
    assert {(method, path.removeprefix("/v1")) for method, path in routes - passed_on} <= described


def test_each_component_is_used(document):
    text = repr(document)
    for kind, components in document["components"].items():
        for name in components:
            assert kind == "securitySchemes" or f"#/components/{kind}/{name}'" in text, f"{kind}/{name}"


def test_the_gateway_does_what_it_says(plain_gateway, tmp_path):
    """The same requests each time, right ones and wrong ones. The catch-all is the backend's."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{plain_gateway.url}/openapi.json", "--url", plain_gateway.url]
    command += ["--checks", ",".join(CHECKS), "--exclude-path", "/{path}", "--phases", "examples,coverage,fuzzing"]
    command += ["--max-examples", "25", "--seed", "1", "--generation-deterministic"]
    command += ["--workers", "1", "--request-timeout", "20", "--no-color", "--warnings", "off"]
    ended = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240)
    assert ended.returncode == 0, ended.stdout
