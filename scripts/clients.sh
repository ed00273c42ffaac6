#!/usr/bin/env bash
# Runs the tests with real clients against a built executable.
#
#   scripts/clients.sh EXECUTABLE [PYTEST-ARGUMENT…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

executable=$(realpath "${1:?usage: scripts/clients.sh EXECUTABLE [PYTEST-ARGUMENT…]}")
shift
python=$(scripts/clients-venv.sh)

export GATEWAY_BINARY=$executable PYTHONDONTWRITEBYTECODE=1
LANGFUSE_3=$(dirname "$(dirname "$python")")/langfuse-3
export LANGFUSE_3
exec "$python" -m pytest --config-file Tests/Clients/pytest.ini Tests/Clients "$@"
