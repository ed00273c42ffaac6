#!/usr/bin/env bash
# Runs `swift test` with the given arguments. Hundreds of tests print thousands of lines: what failed is said once more at the end.
set -uo pipefail

output=$(mktemp)
trap 'rm -f "$output"' EXIT
swift test "$@" 2>&1 | tee "$output"
status=${PIPESTATUS[0]}
if ((status != 0)); then
    printf '\nWhat failed:\n'
    grep -E -A 2 '^✘ Test .* recorded an issue|Fatal error|^error:|\.swift:[0-9]+:[0-9]+: error:|signal code' "$output" | head -n 60
fi
exit "$status"
