"""The settings of the manifests and of the Compose file are settings of the gateway."""

import re

import pytest
import yaml
from conftest import ROOT

PARTS = ["ingress", "forwarder", "verifier", "tracestore"]
# What the images take beside the gateway's settings.
OTHERS = {"redis": {"REDIS_PASSWORD", "REDISCLI_AUTH"}}
GATEWAY_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.fixture(scope="module")
def known():
    """The commands that read each variable of docs/configuration.md."""
    commands = {}
    for line in (ROOT / "docs/configuration.md").read_text().splitlines():
        if match := re.match(r"\| `([A-Z_]+)` \|.*\| ([^|]+) \|$", line):
            commands[match.group(1)] = match.group(2)
    assert len(commands) > 40
    return commands


def test_each_setting_of_the_config_map_is_known(base, known):
    assert base.settings.keys() <= known.keys()


def test_each_variable_of_a_container_is_known(base, known):
    for workload in base.workloads:
        name = workload["metadata"]["name"]
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        for variable in container.get("env", []):
            assert variable["name"] in OTHERS.get(name, known), f"{name}: {variable['name']}"
            if name in PARTS:
                assert name in known[variable["name"]] or known[variable["name"]] == "all", f"{name} does not read {variable['name']}"


def test_each_variable_of_compose_is_known(known):
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for part in PARTS:
        if part in services:
            assert services[part]["environment"].keys() <= known.keys()


@pytest.mark.parametrize("part", PARTS)
def test_each_part_starts_with_them(base, check, tmp_path, part):
    """`metadata-gateway check` with what the manifests give the pod, and secrets of an operator's."""
    secrets, rules = tmp_path / "secrets.yaml", tmp_path / "rules"
    secrets.touch(mode=0o600)
    secrets.write_text("langfuse_keys:\n  my-project: {public_key: pk-lf-1, secret_key: sk-lf-1}\n")
    rules.mkdir()
    for name, text in base("ConfigMap", "rules")["data"].items():
        (rules / name).write_text(text)
    workload = next(each for each in base.workloads if each["metadata"]["name"] == part)
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    own = {each["name"]: each["value"] for each in container.get("env", [])}
    places = {"SECRETS_PATH": str(secrets), "CONFIG_PATH": str(rules), "DATA_DIR": str(tmp_path)}
    status, output = check(part, {**base.settings, "GATEWAY_KEY": GATEWAY_KEY, "REDIS_PASSWORD": "secret", **own, **places})
    assert status == 0, output
    assert "warning" not in output and "error" not in output, output


def test_paths_lead_to_what_is_mounted(base):
    for part in PARTS:
        workload = next(each for each in base.workloads if each["metadata"]["name"] == part)
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert base.settings["SECRETS_PATH"] == f"{mounts['secrets']}/secrets.yaml"
        assert "secrets.yaml" in base("Secret", "secrets")["data"]
        if "rules" in mounts:
            assert base.settings["CONFIG_PATH"] == mounts["rules"]
