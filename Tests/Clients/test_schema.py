"""docs/gateway.schema.json and the gateway's own reading of the operator's rules: what one takes the other takes."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/gateway.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
DOCUMENT = (ROOT / "docs/policies.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(# [\w-]+\.yaml\n.*?)```", DOCUMENT, re.DOTALL)
METADATA, LIMITS, BALANCING, FALLBACK = (
    f"type: gateway-{kind}-config\n" for kind in ["metadata", "rate-limiting", "load-balancing", "fallback"])
LIMIT = LIMITS + "rules:\n  - {id: a, limit_to: 1, unit: requests_per_day, "
BALANCE = BALANCING + "rules:\n  - {id: a, load_balance_targets: [{target: p/m, "
LOGGING = "type: gateway-logging-config\n"
FALL = FALLBACK + "rules:\n  - {id: a, fallback_models: [p/m], "


def faults(text):
    """What the schema says of the documents in a text."""
    documents = [document for document in yaml.safe_load_all(text) if document is not None]
    return [error.message for document in documents for error in VALIDATOR.iter_errors(document)]


@pytest.fixture
def check(tmp_path):
    """What the gateway says of a text: its exit code and its lines."""
    key = "0a" * 32
    (tmp_path / "keys.yaml").write_text(f"keys:\n  - {{id: a, account: t, sha256: '{key}', projects: '*'}}\n")

    def run(text):
        (tmp_path / "gateway.yaml").write_text(text)
        environment = {
            "PATH": os.environ["PATH"], "CONFIG_PATH": "gateway.yaml", "API_KEYS_PATH": "keys.yaml", "REDIS_HOST": "r",
            "GATEWAY_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
        ended = subprocess.run(
            [os.environ["GATEWAY_BINARY"], "check", "--role", "ingress"], cwd=tmp_path, env=environment, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return ended.returncode, ended.stdout

    return run


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    assert "# yaml-language-server: $schema=" in DOCUMENT


@pytest.mark.parametrize(
    "text", [*EXAMPLES, (ROOT / "gateway.yaml.example").read_text()], ids=lambda text: text.split("\n")[0]
)
def test_each_example_is_taken_by_both(check, text):
    assert faults(text) == []
    code, said = check(text)
    assert code == 0, said


def test_each_type_has_an_example():
    types = {document["type"] for text in EXAMPLES for document in yaml.safe_load_all(text)}
    assert types == set(SCHEMA["properties"]["type"]["enum"])


@pytest.mark.parametrize("text", [
    METADATA,
    METADATA + "keys: {a: , run_id: {values: [1, true, x]}, b: {regex: '[0-9]+'}}\n",
    METADATA + "rules: [{id: 7, when: {subjects: ['*', 'user:u', 'serviceaccount:d:e']}, metadata_override: {a: 1}}]\n",
    LIMITS + "rules: []\n",
    LIMIT
    + "when: {models: m, subjects: 'team:t', metadata: {a: 1, b: {gt: 5, lte: '7.5', not_in: [x], present: true}}}}\n",
    LIMIT
    + "when: {models: {in: [m, n], not_in: o}, metadata: {a: b}, metadata_from: key}, "
    + "rate_limit_applies_per: [user, metadata.x]}\n",
    LIMITS
    + "evaluate: first_match\n"
    + "rules: [{id: '{user}-x', limit_to: 5, unit: output_tokens_per_hour, default_output: 0, mode: audit}]\n",
    BALANCE + "weight: 100, fallback_status_codes: [], fallback_candidate: false, metadata_match: {z: eu}}]}\n",
    BALANCING + "rules: [{id: a, type: weight-based-routing, load_balance_targets: [{target: p/m/n}]}]\n",
    FALL + "when: {response_status_codes: [500, '429', timeout, connect_error]}}\n",
    FALLBACK + "rules: [{id: a, fallback_models: [{target: p/m}, q/m], when: {response_status_codes: [400]}}]\n",
    BALANCE + "retry_config: {attempts: 2, delay: 0, on_status_codes: ['429', stream_error]}}]}\n",
    BALANCE
    + "override_params: {temperature: 0.2, stop: [a], user: null}, "
    + "headers_override: {set: {X-Team: a}, remove: [openai-beta]}}]}\n",
    FALLBACK
    + "rules: [{id: a, fallback_models: [{target: p/m, retry_config: {attempts: 1}}], "
    + "when: {response_status_codes: [error_in_200]}}]\n",
    LOGGING
    + "rules: [{id: a, log: false}, {id: b, when: {models: m}, log: true, redact_with: "
    + "{presets: [email], custom_patterns: ['a+', {pattern: b, redaction_text: x}]}}]\n",
    LOGGING + "name: one\nlog: false\n",
])
def test_what_may_be_written_is_taken_by_both(check, text):
    assert faults(text) == []
    code, said = check(text)
    assert code == 0, said


@pytest.mark.parametrize("text", [
    "mode: enforce\n",
    "- a\n",
    "type: gateway-metdata-config\n",
    METADATA + "mod: audit\n",
    METADATA + "mode: audt\n",
    METADATA + "allow_unknown_keys: 'true'\n",
    METADATA + "keys: [a]\n",
    METADATA + "keys: {a: {requird: true}}\n",
    METADATA + "keys: {a: {values: []}}\n",
    METADATA + "keys: {a: {values: [x, x]}}\n",
    METADATA + "keys: {a: {values: [x], regex: x}}\n",
    METADATA + "keys: {tfy_x: {}}\n",
    METADATA + "keys: {'a:b': {}}\n",
    METADATA + "keys: {insertion_id: {}}\n",
    METADATA + f"keys: {{{'k' * 65}: {{}}}}\n",
    METADATA + "rules: [{id: a}]\n",
    METADATA + "rules: [{gateway_metadata: {a: x}}]\n",
    METADATA + "rules: [{id: a, gateway_metadata: {a: x}, metadata_override: {a: x}}]\n",
    METADATA + "rules: [{id: a, gateway_metadata: {run_id: x}}]\n",
    METADATA + "rules: [{id: a, gateway_metadata: {a: [x]}}]\n",
    METADATA + f"rules: [{{id: a, gateway_metadata: {{a: {'x' * 129}}}}}]\n",
    METADATA + "rules: [{id: a, gateway_metadata: {a: x}, when: {subjects: []}}]\n",
    METADATA + "rules: [{id: a, gateway_metadata: {a: x}, when: {subjects: [usr:x]}}]\n",
    METADATA + "rules: [{id: a, gateway_metadata: {a: x}, when: {models: [x]}}]\n",
    LIMITS,
    LIMITS + "rules: [{limit_to: 1, unit: requests_per_day}]\n",
    LIMITS + "rules: [{id: a, unit: requests_per_day}]\n",
    LIMITS + "rules: [{id: a, limit_to: 1}]\n",
    LIMITS + "rules: [{id: a/b, limit_to: 1, unit: requests_per_day}]\n",
    LIMITS + "rules: [{id: a, limit_to: 0, unit: requests_per_day}]\n",
    LIMITS + "rules: [{id: a, limit_to: 1.5, unit: requests_per_day}]\n",
    LIMITS + "rules: [{id: a, limit_to: 1, unit: requests_per_week}]\n",
    LIMITS + "evaluate: first\nrules: []\n",
    LIMIT + "default_output: 5}\n",
    LIMIT + "on_limit: wait}\n",
    LIMIT + "rate_limit_applies_per: [user, model, account]}\n",
    LIMIT + "rate_limit_applies_per: [team]}\n",
    LIMIT + "mode: off}\n",
    LIMIT + "when: {model: m}}\n",
    LIMIT + "when: {models: []}}\n",
    LIMIT + "when: {models: {not: [m]}}}\n",
    LIMIT + "when: {subjects: alice}}\n",
    LIMIT + "when: {metadata: {a: {}}}}\n",
    LIMIT + "when: {metadata: {a: {is: b}}}}\n",
    LIMIT + "when: {metadata: {a: {in: []}}}}\n",
    LIMIT + "when: {metadata: {a: {gt: much}}}}\n",
    LIMIT + "when: {metadata: {a: [b]}}}\n",
    LIMIT + "when: {metadata_from: key}}\n",
    LIMIT + "when: {metadata: {a: b}, metadata_from: header}}\n",
    BALANCING + "model_configs: []\nrules: []\n",
    BALANCING + "rules: [{id: a, load_balance_targets: []}]\n",
    BALANCING + "rules: [{id: a, type: latency-based-routing, load_balance_targets: [{target: p/m}]}]\n",
    BALANCING + "rules: [{id: a, load_balance_targets: [{target: m}]}]\n",
    BALANCING + "rules: [{id: a, load_balance_targets: [p/m]}]\n",
    BALANCE + "weight: 101}]}\n",
    BALANCE + "priority: 1}]}\n",
    BALANCE + "fallback_status_codes: [200]}]}\n",
    BALANCE + "fallback_candidate: 1}]}\n",
    FALLBACK + "rules: [{id: a, fallback_models: [p/m]}]\n",
    BALANCE + "retry_config: {delay: 1}}]}\n",
    BALANCE + "retry_config: {attempts: 11}}]}\n",
    BALANCE + "retry_config: {attempts: 1, on_status_codes: [slow]}}]}\n",
    BALANCE + "override_params: {model: x}}]}\n",
    BALANCE + "headers_override: {set: {Authorization: x}}}]}\n",
    BALANCE + "headers_override: {remove: [Host]}}]}\n",
    BALANCE + "headers_override: {add: {a: b}}}]}\n",
    LOGGING + "rules: [{id: a}]\n",
    LOGGING + "rules: [{id: a, log: maybe}]\n",
    LOGGING + "rules: [{id: a, log: true, redact_with: {}}]\n",
    LOGGING + "rules: [{id: a, log: true, redact_with: {presets: [emial]}}]\n",
    LOGGING + "rules: [{id: a, log: true, redact_with: {custom_patterns: [{redaction_text: x}]}}]\n",
    LOGGING + "rules: []\nlog: true\n",
    LOGGING + "name: one\n",
    FALL + "when: {models: [m]}}\n",
    FALL + "when: {response_status_codes: [slow]}}\n",
    FALL + "when: {response_status_codes: 500}}\n",
    FALLBACK + "rules: [{id: a, fallback_models: [], when: {response_status_codes: [500]}}]\n",
    FALLBACK + "rules: [{id: a, fallback_models: [{target: p/m, weight: 1}], when: {response_status_codes: [500]}}]\n",
])
def test_a_mistake_is_refused_by_both(check, text):
    assert faults(text) != []
    code, said = check(text)
    assert code == 78 and "gateway.yaml:" in said, said
