#!/usr/bin/env bash
# Runs the tests with real clients against a built executable.
#
#   scripts/clients.sh EXECUTABLE [PYTEST-ARGUMENT…]
#
# The Python packages live in .build/clients-venv, which is made again only when the requirements or the interpreter change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly requirements=Tests/Clients/requirements.txt venv=.build/clients-venv
executable=$(realpath "${1:?usage: scripts/clients.sh EXECUTABLE [PYTEST-ARGUMENT…]}")
shift

fingerprint=$({
    python3 -c 'import sys; print(sys.executable, sys.version)'
    cat "$requirements"
} | sha256sum)
if [[ $(cat "$venv/fingerprint" 2>/dev/null) != "$fingerprint" ]]; then
    printf 'Installing the client tests'\'' Python packages\n'
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    printf '%s\n' "$fingerprint" >"$venv/fingerprint"
fi

export GATEWAY_BINARY=$executable PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" -m pytest --config-file Tests/Clients/pytest.ini Tests/Clients "$@"
