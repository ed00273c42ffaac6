#!/usr/bin/env bash
# Soaks a built executable, or takes its trace store away; README.md here has the options.
#
#   Tests/Soak/run.sh EXECUTABLE [outage]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

executable=$(realpath "${1:?usage: Tests/Soak/run.sh EXECUTABLE [outage]}")
python=$(scripts/clients-venv.sh)

export PYTHONDONTWRITEBYTECODE=1
program=Tests/Soak
[[ ${2:-} == outage ]] && program=Tests/Soak/outage.py
exec "$python" "$program" "$executable"
