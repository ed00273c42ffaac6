"""`make install` puts the executable and its completions where shells find them, and `make uninstall` removes them."""

import os
import shutil
import subprocess

import pytest

from conftest import ROOT

SHELLS = {
    "bash": "share/bash-completion/completions/metadata-gateway",
    "zsh": "share/zsh/site-functions/_metadata-gateway",
    "fish": "share/fish/vendor_completions.d/metadata-gateway.fish",
}


def make(task, **variables):
    """Runs a task with the executable under test, as one who has built it before."""
    chosen = {"BINARY": os.environ["GATEWAY_BINARY"], **variables}
    command = ["make", "--directory", ROOT, task, *(f"{name}={value}" for name, value in chosen.items())]
    return subprocess.run(command, capture_output=True, text=True)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("prefix, destination", [("usr", None), ("usr", "stage"), ("opt/a b", "stage")])
def test_what_is_installed_works_and_goes(tmp_path, prefix, destination):
    variables = {"PREFIX": f"{tmp_path}/{prefix}"}
    folder = tmp_path / prefix
    if destination:
        variables = {"PREFIX": f"/{prefix}", "DESTDIR": f"{tmp_path}/{destination}"}
        folder = tmp_path / destination / prefix
    made = make("install", **variables)
    assert made.returncode == 0, made.stderr
    assert files(folder) == sorted(["bin/metadata-gateway", *SHELLS.values()])

    environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}
    shown = subprocess.run(["metadata-gateway", "--version"], env=environment, capture_output=True, text=True)
    assert shown.returncode == 0 and shown.stdout.strip()
    for shell, path in SHELLS.items():
        text = (folder / path).read_text()
        assert "wait" in text and "tracestore" in text, shell
        if shutil.which(shell):
            assert subprocess.run([shell, "-n", folder / path]).returncode == 0, shell

    (folder / "bin/other").write_text("mine")
    assert make("uninstall", **variables).returncode == 0
    assert files(folder) == ["bin/other"]
    assert make("uninstall", **variables).returncode == 0, "again changes nothing"


@pytest.mark.parametrize("variables, word", [({"PREFIX": "usr"}, "PREFIX"), ({"DESTDIR": "stage"}, "DESTDIR")])
def test_a_relative_path_is_refused(variables, word):
    made = make("install", **variables)
    assert made.returncode != 0 and f"{word} must be" in made.stderr


def test_bash_completes_a_subcommand(tmp_path):
    assert make("install", PREFIX=tmp_path).returncode == 0
    script = (
        f"source {tmp_path}/{SHELLS['bash']}; COMP_WORDS=(metadata-gateway wa); COMP_CWORD=1; "
        "COMP_LINE='metadata-gateway wa'; COMP_POINT=${#COMP_LINE}; "
        "$(complete -p metadata-gateway | sed 's/.*-F \\([^ ]*\\).*/\\1/') metadata-gateway wa metadata-gateway; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    shown = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert "wait" in shown.stdout.split(), shown.stderr
