#!/usr/bin/env bash
# Runs the tests with real clients, and those of deploy/, against a built executable.
#
#   scripts/clients.sh EXECUTABLE [PYTEST-ARGUMENT…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

executable=$(realpath "${1:?usage: scripts/clients.sh EXECUTABLE [PYTEST-ARGUMENT…]}")
shift

# The list of prices that LiteLLM carries, instead of one from the network.
export GATEWAY_BINARY=$executable PYTHONDONTWRITEBYTECODE=1 LITELLM_LOCAL_MODEL_COST_MAP=True
for folder in Deploy Clients EvalProtocol Frameworks Browser; do
    python=$(scripts/clients-venv.sh "$folder")
    LANGFUSE_3=$(dirname "$(dirname "$python")")/langfuse-3
    export LANGFUSE_3
    # 5: the arguments choose none of these tests.
    "$python" -m pytest --config-file "Tests/$folder/pytest.ini" "Tests/$folder" "$@" || [[ $? == 5 ]]
done
