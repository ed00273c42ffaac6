#!/usr/bin/env bash
# Checks what a compiler does not: layout, sizes, forbidden calls, pins, what is in git, documents, shell scripts and
# alert rules.
# Prints `file:line: why` for each finding, and fails if there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly file_limit=400 function_limit=90 line_limit=120
# Versions of SwiftNIO below this have known holes (CVE-2026-28970, CVE-2026-28980).
readonly nio_floor=2.100

mapfile -t swift_files < <(find Sources Tests Examples -name '*.swift' | LC_ALL=C sort)
failures=0

# check TITLE COMMAND…: runs the command and counts its failure.
check() {
    local title=$1
    shift
    if "$@"; then
        printf 'ok    %s\n' "$title"
    else
        printf 'FAIL  %s\n' "$title"
        failures=$((failures + 1))
    fi
}

layout() {
    swift format lint --strict --parallel --recursive Package.swift Sources Tests Examples
}

sizes() {
    awk -v file_limit="$file_limit" -v function_limit="$function_limit" -f scripts/sizes.awk "${swift_files[@]}"
}

# A string literal may be wider, and so may the arguments of a Redis script.
comments_fit() {
    python3 - "$line_limit" "${swift_files[@]}" <<'PYTHON'
import re, sys

limit, status = int(sys.argv[1]), 0
for name in sys.argv[2:]:
    for number, line in enumerate(open(name, encoding="utf-8"), 1):
        text = line.rstrip("\n")
        if len(text) > limit and re.match(r" *///? (?!KEYS|ARGV|Output|`)", text):
            print(f"{name}:{number}: a comment passes {limit} columns: wrap it")
            status = 1
sys.exit(status)
PYTHON
}

# Words in the place of a subject: a comment says which part or person it is about.
subjects_are_named() {
    ! git grep -nwiE 'nobody|whoever|whatever|somebody|wherever' -- Sources
}

forbidden_calls() {
    awk -f scripts/forbidden.awk "${swift_files[@]}"
}

nothing_built_in_git() {
    git ls-files | awk '/(^|\/)(\.build[^\/]*|\.venv|__pycache__)\/|(^|\/)(Package\.resolved|secrets\.yaml)$/ {
        print $0 ":1: belongs to one machine, not in git: git rm --cached it"
        found = 1
    } END { exit found }'
}

no_conflict_markers() {
    ! git grep -nE '^(<{7}|>{7}) |>{7} [0-9a-f]{7,}$'
}

# version_at_least VERSION FLOOR
version_at_least() {
    [[ $(printf '%s\n' "$1" "$2" | sort --version-sort | head -n 1) == "$2" ]]
}

nio_is_recent() {
    local number line version found=false
    while IFS=: read -r number line; do
        found=true
        version=$(sed -nE 's/.*"([0-9]+(\.[0-9]+)*)".*/\1/p' <<<"$line")
        if ! version_at_least "${version:-0}" "$nio_floor"; then
            printf 'Package.swift:%s: swift-nio must be %s or newer (CVE-2026-28970, CVE-2026-28980)\n' "$number" "$nio_floor"
            return 1
        fi
    done < <(grep -nE 'apple/swift-nio"' Package.swift)
    $found || printf 'Package.swift:1: names no version of swift-nio; transitive ones may be older than %s\n' "$nio_floor"
    $found
}

# An image, an action of a CI service or a Python package without an exact version is another one tomorrow.
versions_are_pinned() {
    local files
    mapfile -t files < <(git ls-files Dockerfile docker-compose.yml 'deploy/*.yaml' '*requirements*.txt' '.github/*.yml' '.github/*.yaml')
    awk '
        function found(why) { print FILENAME ":" FNR ": " why; failed = 1 }
        FILENAME ~ /requirements[^\/]*\.txt$/ {
            if ($0 !~ /^(#|-r |$)/ && $0 !~ /^[A-Za-z0-9._\[\]-]+==[0-9][^ ]*$/) found("name one version: package==1.2.3")
            next
        }
        /^FROM / || /^[ -]*image:/ {
            name = $1 == "FROM" ? $2 : $NF
            # What this repository builds itself has no tag.
            if (name == "metadata-gateway") next
            if (name !~ /:v?[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z]+)?$/ && name !~ /@sha256:[0-9a-f]+$/) found("name one version of the image, such as debian:12.11-slim")
        }
        # Without an interval such as {40}, which some awks do not know.
        /^[ -]*uses:/ && $NF !~ /^\.\// {
            if ($NF !~ /@[0-9a-f]+$/ || length($NF) - index($NF, "@") != 40) found("name the action by its commit")
        }
        END { exit failed }
    ' "${files[@]}"
}

shell_scripts() {
    shellcheck --severity=style scripts/*.sh .ci/run
}

# promtool says on standard error what is wrong.
alert_rules() {
    {
        promtool check config --syntax-only deploy/prometheus/prometheus.yml &&
            promtool check rules --lint-fatal deploy/prometheus/alerts.yml &&
            promtool test rules deploy/prometheus/alerts_test.yml
    } >/dev/null
}

# Only where a debug build has left its modules; .ci/run does it behind the tests in any case.
documentation() {
    if [[ ! -e .build/debug/Modules/GatewayCommand.swiftmodule ]] || ! command -v docc >/dev/null; then return; fi
    scripts/docc.sh
}

check "layout (.swift-format; \`make format\` repairs it)" layout
check "sizes (a file <= $file_limit lines, a body <= $function_limit)" sizes
check "comments within $line_limit columns" comments_fit
check "subjects are named" subjects_are_named
check "labels of parameters" scripts/labels.py "${swift_files[@]}"
check "forbidden calls" forbidden_calls
check "nothing built is in git" nothing_built_in_git
check "no conflict markers" no_conflict_markers
check "swift-nio >= $nio_floor" nio_is_recent
check "versions of images, actions and packages" versions_are_pinned
check "folders that layer" scripts/layers.py
check "one version everywhere" scripts/version.py
check "journeys through the code" scripts/journeys.py
check "documents: width, links, suites, Redis keys, errors and example" scripts/documents.py
check "documentation of the public modules, if they are built" documentation
check "shell scripts" shell_scripts
check "Prometheus' configuration and alert rules" alert_rules

if ((failures)); then
    printf '%d of the checks failed\n' "$failures" >&2
    exit 1
fi
