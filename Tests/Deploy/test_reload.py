"""What kubelet brings into a running pod is taken over: it lays a folder of files anew behind a symbolic link."""

import os

import pytest
from fleet import Fleet, eventually
from provider import ScriptedProvider

SECRETS = "langfuse_keys:\n  {project}: {{public_key: pk-lf-1, secret_key: sk-lf-1}}\ndefault_project_id: {project}\n"


class Volume:
    """A ConfigMap or Secret as kubelet mounts it: each file leads through `..data` to the folder of the present state."""

    def __init__(self, path):
        self.path = path
        self._states = 0
        path.mkdir()

    def write(self, **files):
        self._states += 1
        state = self.path / f"..state-{self._states}"
        state.mkdir()
        for name, text in files.items():
            (state / f"{name}.yaml").write_text(text)
            if not (self.path / f"{name}.yaml").is_symlink():
                (self.path / f"{name}.yaml").symlink_to(f"..data/{name}.yaml")
        (self.path / "..data_tmp").symlink_to(state.name)
        os.rename(self.path / "..data_tmp", self.path / "..data")


@pytest.fixture
def volumes(tmp_path):
    return Volume(tmp_path / "rules"), Volume(tmp_path / "secrets")


def test_rules_and_secrets_are_read_again(base, volumes, tmp_path, keys):
    rules, secrets = volumes
    rule = base("ConfigMap", "rules")["data"]["gateway.yaml"]
    rules.write(gateway=rule)
    secrets.write(secrets=SECRETS.format(project="first"))
    provider = ScriptedProvider()
    places = {"CONFIG_PATH": str(rules.path), "SECRETS_PATH": str(secrets.path / "secrets.yaml")}
    fleet = Fleet(tmp_path, provider, keys, 1, **places)
    try:
        fleet.start(forwarders=0)
        rules.write(gateway=rule.replace("name: open", "name: other"))
        eventually(lambda: "read the rules of CONFIG_PATH again" in fleet.ingress.output, "the rules are read again")
        secrets.write(secrets=SECRETS.format(project="first") + "provider_keys: {openai: a-new-key}\n")
        eventually(lambda: "read the secrets again" in fleet.ingress.output, "the secrets are read again")
    finally:
        fleet.stop()
        provider.stop()
