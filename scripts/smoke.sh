#!/usr/bin/env bash
# Does what the README tells a newcomer to do, in a fresh state and on a free port: `make run`, the printed curl line, Ctrl-C.
#
#   scripts/smoke.sh [release|debug]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

configuration=${1:-release}
state=$(mktemp -d)
log=$state/log
pid=

fail() {
    printf 'smoke: %s\n' "$1" >&2
    sed 's/^/    /' "$log" >&2
    exit 1
}

# Ends what this script started, and nothing else; the gateway's redis-server has a session of its own.
clean_up() {
    if [[ -n $pid ]]; then
        kill -KILL -- "-$pid" 2>/dev/null || true
        redis-cli -s "$state/data/redis.sock" shutdown nosave >/dev/null 2>&1 || true
    fi
    rm -rf "$state"
}
trap clean_up EXIT

# wait_for SECONDS COMMAND…: until the command succeeds.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

listens() {
    grep -q 'http://127\.0\.0\.1:[0-9]' "$log" && grep -q '^ *curl ' "$log"
}

stopped() {
    ! kill -0 "$1" 2>/dev/null
}

group_is_empty() {
    ! kill -0 -- "-$pid" 2>/dev/null
}

make --no-print-directory build CONFIGURATION="$configuration"

# Job control gives the gateway a process group of its own, so that an interrupt reaches it as Ctrl-C at a terminal does.
set -m
env -u REDIS_HOST -u LITELLM_URL PORT=0 TRACESTORE_PORT=0 DATA_DIR="$state/data" make --no-print-directory run CONFIGURATION="$configuration" >"$log" 2>&1 &
pid=$!
set +m
wait_for 60 listens || fail "the gateway did not say where it listens"

# The line, and those that a backslash joins to it.
curl_line=$(awk '/^ *curl / { on = 1 } on { print } !/\\$/ { on = 0 }' "$log")
printf 'smoke: %s\n' "$curl_line"
answer=$(bash -c "$curl_line") || fail "the printed curl line failed"
[[ $answer == *'"chat.completion"'* ]] || fail "the printed curl line was answered with: $answer"

redis=$(redis-cli -s "$state/data/redis.sock" info server | sed -nE 's/^process_id:([0-9]+).*/\1/p')
[[ -n $redis ]] || fail "no redis-server answers at DATA_DIR/redis.sock"

kill -INT -- "-$pid"
wait_for 40 group_is_empty || fail "Ctrl-C did not end the gateway within 40 s"
wait "$pid" || true
pid=
wait_for 5 stopped "$redis" || fail "redis-server ($redis) still runs after the gateway"
printf 'smoke: a %s build started, answered and stopped\n' "$configuration"
