#!/usr/bin/env bash
# Measures a built executable against other proxies; Benchmarks/README.md has the options.
#
#   Benchmarks/run.sh EXECUTABLE
#
# The Python packages live in .build/bench-venv (BENCH_VENV), which is made again only when the requirements or the interpreter change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly requirements=(Tests/Clients/requirements.txt Benchmarks/requirements.txt) venv=${BENCH_VENV:-.build/bench-venv}
executable=$(realpath "${1:?usage: Benchmarks/run.sh EXECUTABLE}")

fingerprint=$({
    python3 -c 'import sys; print(sys.executable, sys.version)'
    cat "${requirements[@]}"
} | sha256sum)
if [[ $(cat "$venv/fingerprint" 2>/dev/null) != "$fingerprint" ]]; then
    printf 'Installing the systems to measure against\n'
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement Benchmarks/requirements.txt
    printf '%s\n' "$fingerprint" >"$venv/fingerprint"
fi

# Each call in flight takes a socket at the client, and another at the upstream.
ulimit -n "$(ulimit -Hn)"
# Debian keeps nginx in /usr/sbin, which only root's PATH has.
export PYTHONDONTWRITEBYTECODE=1 PATH=$PATH:/usr/sbin
exec "$venv/bin/python" Benchmarks "$executable"
