"""What the tests share: the manifests as they are rendered, and where the project is."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from kustomize import render

ROOT = Path(__file__).resolve().parents[2]
BASE, KEDA = ROOT / "deploy/kubernetes/base", ROOT / "deploy/kubernetes/overlays/keda"


class Manifests:
    """Rendered resources by kind and name."""

    def __init__(self, folder):
        self.all = render(folder)

    def __call__(self, kind, name):
        found = [each for each in self.all if (each["kind"], each["metadata"]["name"]) == (kind, name)]
        assert len(found) == 1, f"there are {len(found)} of {kind} {name}"
        return found[0]

    def of(self, *kinds):
        return [each for each in self.all if each["kind"] in kinds]

    @property
    def workloads(self):
        return self.of("Deployment", "StatefulSet")

    @property
    def settings(self):
        return self("ConfigMap", "settings")["data"]


@pytest.fixture(scope="session")
def base():
    return Manifests(BASE)


@pytest.fixture(scope="session")
def keda():
    return Manifests(KEDA)


@pytest.fixture(scope="session")
def keys():
    """The names of Redis keys that do not depend on anything, by their name in Keys.swift."""
    (path,) = ROOT.glob("Sources/**/Keys.swift")
    return dict(re.findall(r'static let (\w+) = "([^"]*)"', path.read_text()))


@pytest.fixture(scope="session")
def check():
    """Runs `metadata-gateway check` for a part with only these variables; gives its exit status and what it printed."""

    def run(role, environment):
        command = [os.environ["GATEWAY_BINARY"], "check", "--role", role]
        result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        return result.returncode, result.stdout

    return run
