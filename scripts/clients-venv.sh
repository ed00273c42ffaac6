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
# Other versions of single packages. They run with the newer ones' own requirements, so each is laid beside them alone,
# in a folder that has the name of its file.
shopt -s nullglob
readonly others=("Tests/$folder"/requirements-*.txt)
options=(--quiet --disable-pip-version-check)
# With bytecode for all that the frameworks drag in, which is seldom imported, their installation takes twice the time.
[[ $folder != Frameworks ]] || options+=(--no-compile)
# What packages need in their turn, at known versions, so that pip has nothing to solve.
readonly constraints=Tests/$folder/constraints.txt
[[ ! -e $constraints ]] || options+=(--constraint "$constraints")

fingerprint=$({
    python3 -c 'import sys; print(sys.executable, sys.version)'
    cat "$requirements" "${others[@]}"
    [[ ! -e $constraints ]] || cat "$constraints"
} | sha256sum)
if [[ $(cat "$venv/fingerprint" 2>/dev/null) != "$fingerprint" ]]; then
    printf 'Installing the client tests'\'' Python packages\n' >&2
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install "${options[@]}" --requirement "$requirements" >&2
    for other in "${others[@]}"; do
        name=${other##*/requirements-}
        "$venv/bin/pip" install "${options[@]}" --no-deps --target "$venv/${name%.txt}" --requirement "$other" >&2
    done
    printf '%s\n' "$fingerprint" >"$venv/fingerprint"
fi
printf '%s\n' "$PWD/$venv/bin/python"
