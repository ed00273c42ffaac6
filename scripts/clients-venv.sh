#!/usr/bin/env bash
# Makes the Python environment of the tests with real clients, and prints the path of its interpreter.
#
#   scripts/clients-venv.sh [FOLDER]     (of Tests, with a requirements.txt; Clients if none is named)
#
# The packages live in .build/…-venv, which is made again only when the requirements or the interpreter change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folder=${1:-Clients}
readonly requirements=Tests/$folder/requirements.txt venv=.build/${folder,,}-venv
# Langfuse's SDK once more, as it was before its newer API. It runs with the newer one's own requirements, so it is laid beside them alone.
readonly older_langfuse=Tests/$folder/requirements-langfuse-3.txt

fingerprint=$({
    python3 -c 'import sys; print(sys.executable, sys.version)'
    cat "$requirements"
    [[ ! -e $older_langfuse ]] || cat "$older_langfuse"
} | sha256sum)
if [[ $(cat "$venv/fingerprint" 2>/dev/null) != "$fingerprint" ]]; then
    printf 'Installing the client tests'\'' Python packages\n' >&2
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    [[ ! -e $older_langfuse ]] ||
        "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$venv/langfuse-3" --requirement "$older_langfuse" >&2
    printf '%s\n' "$fingerprint" >"$venv/fingerprint"
fi
printf '%s\n' "$PWD/$venv/bin/python"
