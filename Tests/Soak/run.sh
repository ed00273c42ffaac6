#!/usr/bin/env bash
# Soaks a built executable; README.md here has the options.
#
#   Tests/Soak/run.sh EXECUTABLE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

executable=$(realpath "${1:?usage: Tests/Soak/run.sh EXECUTABLE}")
python=$(scripts/clients-venv.sh)

export PYTHONDONTWRITEBYTECODE=1
exec "$python" Tests/Soak "$executable"
