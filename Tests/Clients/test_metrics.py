"""Prometheus' own parser and linter read the page of metrics, and nothing that is a client's own stands in it."""

import json
import re
import subprocess
import uuid

import pytest
from prometheus_client.parser import text_string_to_metric_families

CANARY = "canary-" + uuid.uuid4().hex
CHAT = {"model": "mock/echo", "messages": [{"role": "user", "content": f"{CANARY}-prompt"}]}


@pytest.fixture(scope="module")
def metered(start_gateway):
    return start_gateway(METRICS_METADATA_KEYS="environment", METRICS_MODELS="mock/echo")


def chat(gateway, path, model=None, **metadata):
    headers = {"X-TFY-METADATA": json.dumps(metadata)} if metadata else {}
    return gateway.request("POST", path + "/chat/completions", json.dumps({**CHAT, "model": model or CHAT["model"]}), headers, key=f"{CANARY}-key")


def families(gateway):
    answer = gateway.request("GET", "/metrics")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.body.decode(), {family.name: family for family in text_string_to_metric_families(answer.body.decode())}


def value(found, name, **labels):
    samples = [sample for family in found.values() for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def test_calls_are_counted_and_nothing_of_the_clients_is_shown(metered, rollout):
    assert chat(metered, rollout.path, environment='pr"od\\', user=f"{CANARY}-user").status == 200
    assert chat(metered, "", model=f"mock/{CANARY}-model").status == 404
    assert chat(metered, "/project_id/other-project").status == 200
    assert chat(metered, "", model=f"{CANARY}-nowhere/x").status == 400
    assert metered.request("POST", "/chat/completions", b"{").status == 400
    assert metered.request("GET", f"/{CANARY}-path").status >= 400
    text, found = families(metered)
    assert value(found, "gateway_requests_total", route="/chat/completions", status="2xx") == 1
    assert value(found, "gateway_requests_total", route="/rollout_id/{rollout_id}/…/chat/completions", status="2xx") == 1
    assert value(found, "gateway_request_errors_total", code="invalid_json") == 1
    assert value(found, "gateway_call_errors_total", code="unknown_provider") >= 1
    assert value(found, "gateway_calls_total", provider="mock", model="mock/echo", outcome="succeeded") == 2
    assert value(found, "gateway_calls_total", provider="mock", model="other", outcome="failed") == 1
    assert value(found, "gateway_attempts_total", provider="mock", result="4xx") == 1
    assert value(found, "gateway_metadata_calls_total", key="environment", value='pr"od\\', outcome="succeeded") == 1
    assert value(found, "gateway_metadata_calls_total", key="environment", value="(none)", outcome="succeeded") == 1
    assert value(found, "gateway_queue_wait_seconds_count") >= 4
    assert value(found, "gateway_call_duration_seconds_bucket", model="mock/echo", le="+Inf") == 2
    assert value(found, "gateway_redis_used_memory_bytes") > 100_000
    assert value(found, "process_resident_memory_bytes") > 1_000_000
    assert CANARY not in text and "other-project" not in text and rollout.rollout not in text


def test_a_stream_has_a_time_to_its_first_token(metered):
    before = value(families(metered)[1], "gateway_time_to_first_token_seconds_count")
    body = json.dumps({**CHAT, "stream": True})
    assert metered.request("POST", "/chat/completions", body).status == 200
    found = families(metered)[1]
    assert value(found, "gateway_time_to_first_token_seconds_count") == before + 1
    bounds = {sample.labels["le"] for sample in found["gateway_time_to_first_token_seconds"].samples if "le" in sample.labels}
    assert {"300.0", "600.0", "+Inf"} <= bounds or {"300", "600", "+Inf"} <= bounds


def test_promtool_finds_nothing_to_say(metered):
    text, _ = families(metered)
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_each_series_is_there_once(metered):
    text, _ = families(metered)
    names = [re.sub(r" [^ ]+$", "", line) for line in text.splitlines() if not line.startswith("#")]
    assert len(names) == len(set(names))
