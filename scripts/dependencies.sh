#!/usr/bin/env bash
# Installs the Debian packages that a task of the Makefile needs and this machine lacks; says nothing when there are none.
#
#   scripts/dependencies.sh build|tests|clients|validate|bench…    what those tasks need (as root; otherwise prints the one command to run, and fails)
#   scripts/dependencies.sh install PACKAGE…                       just install these, without starting any service that they carry
set -euo pipefail

# libraries: what the executable is linked to; redis-server: what `serve` starts; curl: the line that `serve` prints.
readonly build_packages=(ca-certificates curl git libcurl4-openssl-dev libhiredis-dev libsqlite3-dev libyaml-dev redis-server zlib1g-dev)
# openssl: the certificates of the TLS tests; nginx: the load balancer of the restart tests.
readonly test_packages=(nginx openssl)
# prometheus: promtool, which checks the alert rules and a page of metrics. chromium: the browser of the dashboard's tests.
readonly client_packages=(chromium chromium-driver prometheus)
readonly validate_packages=(git prometheus python3 shellcheck)
# What is measured against, and the load.
readonly bench_packages=(nginx wrk)

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# Debian starts a service as soon as its package is installed; a policy for the time of the installation prevents that
# (invoke-rc.d(8)). redis-server, nginx and prometheus would also start at the next boot, and hold a port unasked.
install_packages() {
    local policy=/usr/sbin/policy-rc.d service new_services=()
    for service in redis-server nginx prometheus; do
        command -v "$service" >/dev/null || new_services+=("$service.service")
    done
    if [[ ! -e $policy ]]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -qq --yes --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/dev/null
    command -v systemctl >/dev/null || return 0
    for service in "${new_services[@]}"; do
        systemctl --quiet disable "$service" 2>/dev/null || true
    done
}

require_swift() {
    command -v swift >/dev/null || fail "no Swift toolchain on PATH: install Swift 6.3 or newer (https://www.swift.org/install/linux/)."
}

# Prints those of the named packages that are not installed, one a line.
missing_packages() {
    local package
    for package; do
        dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s\n' "$package"
    done
}

# The client tests take any Python with a working venv module, wherever it comes from.
missing_python() {
    python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || missing_packages python3 python3-venv
}

main() {
    local group missing=()
    if [[ ${1-} == install ]]; then
        shift
        install_packages "$@"
        return
    fi
    if ! command -v dpkg-query >/dev/null; then
        printf 'note: not a Debian system; packages are not checked. Needed: %s.\n' "${build_packages[*]}" >&2
        return
    fi
    for group; do
        case $group in
        build)
            require_swift
            mapfile -t -O "${#missing[@]}" missing < <(missing_packages "${build_packages[@]}")
            ;;
        tests) mapfile -t -O "${#missing[@]}" missing < <(missing_packages "${test_packages[@]}") ;;
        clients) mapfile -t -O "${#missing[@]}" missing < <(missing_python; missing_packages "${client_packages[@]}") ;;
        validate) mapfile -t -O "${#missing[@]}" missing < <(missing_packages "${validate_packages[@]}") ;;
        bench) mapfile -t -O "${#missing[@]}" missing < <(missing_packages "${bench_packages[@]}"; missing_python) ;;
        *) fail "unknown group \`$group\`: use build, tests, clients, validate or bench, or install PACKAGE…" ;;
        esac
    done
    ((${#missing[@]})) || return 0
    if ((EUID != 0)); then
        fail "these Debian packages are missing; install them with this command, then repeat:
    sudo $(realpath "${BASH_SOURCE[0]}") install ${missing[*]}"
    fi
    printf 'Installing %s\n' "${missing[*]}"
    install_packages "${missing[@]}"
}

main "$@"
