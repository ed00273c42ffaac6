"""No part starts with a placeholder, and each says what to replace; with an operator's own secrets they start."""

import base64
import os
import re
import subprocess

import pytest
import yaml
from conftest import ROOT
from kustomize import render
from test_settings import GATEWAY_KEY, PARTS

SECRETS = "langfuse_keys:\n  my-project: {public_key: pk-lf-1, secret_key: sk-lf-1}\n"


def values(manifests, name):
    return {key: base64.b64decode(value).decode() for key, value in manifests("Secret", name)["data"].items()}


@pytest.fixture(scope="module")
def redis_script(base):
    (container,) = base("StatefulSet", "redis")["spec"]["template"]["spec"]["containers"]
    return container["command"]


@pytest.mark.parametrize("part", PARTS)
def test_no_part_starts_with_the_placeholders(base, check, tmp_path, part):
    path = tmp_path / "secrets.yaml"
    path.touch(mode=0o600)
    path.write_text(values(base, "secrets")["secrets.yaml"])
    environment = {**base.settings, **values(base, "gateway-key"), **values(base, "redis-password"), "SECRETS_PATH": str(path), "CONFIG_PATH": ""}
    status, output = check(part, environment)
    assert status == 78
    assert "GATEWAY_KEY: error: the value (not shown) must be 32 bytes in base64" in output
    assert "unknown key `REPLACE_ME`" in output


def test_redis_does_not_start_with_the_placeholder(base, redis_script):
    for password in [values(base, "redis-password")["REDIS_PASSWORD"], ""]:
        result = subprocess.run(redis_script, env={"PATH": os.environ["PATH"], "REDIS_PASSWORD": password}, capture_output=True, text=True, timeout=30)
        assert result.returncode == 78
        assert "replace REDIS_PASSWORD" in result.stderr


def test_redis_starts_with_a_password_and_keeps_every_job(redis_script, tmp_path):
    socket = tmp_path / "redis.sock"
    shell, option, script = redis_script
    assert "--dir /data" in script
    script = script.replace("--dir /data", f"--dir {tmp_path} --port 0 --unixsocket {socket}")
    environment = {"PATH": os.environ["PATH"], "REDIS_PASSWORD": "a-password"}
    server = subprocess.Popen([shell, option, script], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert any("eady to accept connections" in line for line in server.stdout)

        def ask(*words, **variables):
            command = ["redis-cli", "-s", socket, *words]
            return subprocess.run(command, env={"PATH": os.environ["PATH"], **variables}, capture_output=True, text=True, timeout=30).stdout

        assert "NOAUTH" in ask("PING")
        assert ask("PING", REDISCLI_AUTH="a-password") == "PONG\n"
        for setting, value in {"maxmemory-policy": "noeviction", "appendonly": "yes", "maxmemory": str(5 << 30)}.items():
            assert ask("CONFIG", "GET", setting, REDISCLI_AUTH="a-password").split() == [setting, value]
        with open(f"/proc/{server.pid}/cmdline") as command_line:
            assert "a-password" not in command_line.read()
    finally:
        server.kill()
        server.wait()


def test_the_overlay_of_the_documentation_replaces_them(tmp_path):
    """The kustomization that docs/operations.md shows, with the files that it names."""
    section = (ROOT / "docs/operations.md").read_text().partition("\n## Kubernetes\n")[2].partition("\n## ")[0]
    (text,) = re.findall(r"```yaml\n# kustomization\.yaml\n(.*?)```", section, re.S)
    plan = yaml.safe_load(text)
    plan["resources"] = [os.path.relpath(ROOT / path.removeprefix("metadata-gateway/"), tmp_path) for path in plan["resources"]]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(plan))
    (tmp_path / "gateway-key.env").write_text(f"GATEWAY_KEY={GATEWAY_KEY}\n")
    (tmp_path / "redis-password.env").write_text("REDIS_PASSWORD=a-password\n")
    (tmp_path / "secrets.yaml").write_text(SECRETS)
    rendered = {(each["kind"], each["metadata"]["name"]): each for each in render(tmp_path)}
    secrets = [each["data"] for (kind, _), each in rendered.items() if kind == "Secret"]
    found = {name: base64.b64decode(value).decode() for data in secrets for name, value in data.items()}
    assert found == {"GATEWAY_KEY": GATEWAY_KEY, "REDIS_PASSWORD": "a-password", "secrets.yaml": SECRETS}
    images = {rendered["Deployment", part]["spec"]["template"]["spec"]["containers"][0]["image"] for part in ["ingress", "forwarder", "verifier"]}
    assert rendered["ConfigMap", "settings"]["data"]["LOG_LEVEL"] == "NOTICE"
    assert images == {f"{plan['images'][0]['newName']}:{plan['images'][0]['newTag']}"}
