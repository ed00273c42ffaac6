#!/usr/bin/env python3
"""Checks that the gateway's version is the same everywhere: GatewayVersion.swift has it, and the API's description, the
manifests, their example, README and the newest release of CHANGELOG.md repeat it. Releases stand newest first, below
`[Unreleased]`, each with its date.

Prints `file:line: why` for each finding, and exits with 1 if there is one."""

import re
import sys

SOURCE = "Sources/Common/Configuration/GatewayVersion.swift"
CHANGELOG = "CHANGELOG.md"
# The other places that have the version: the file, and the line's form.
PLACES = [
    ("Sources/Ingress/OpenAPI/openapi.json", r'^    "version": "([^"]+)",$'),
    ("deploy/kubernetes/base/kustomization.yaml", r"^ +newTag: (\S+)$"),
    ("docs/operations.md", r"^ +newTag: (\S+)$"),
    ("README.md", r"^\*\*Status\*\*: ([^,]+),"),
]


def matches(name, pattern):
    with open(name, encoding="utf-8") as file:
        return [(number, found) for number, line in enumerate(file, 1) if (found := re.match(pattern, line.rstrip("\n")))]


def findings():
    (_, found), = matches(SOURCE, r'.*current = "([^"]+)"')
    version = found.group(1)
    for name, pattern in PLACES:
        places = matches(name, pattern)
        if not places:
            yield name, 1, f"does not name the version, {version}"
        for number, place in places:
            if place.group(1) != version:
                yield name, number, f"names version {place.group(1)}, and the gateway's is {version} ({SOURCE})"
    headings = [(number, found.group(1), found.group(2)) for number, found in matches(CHANGELOG, r"## \[([^]]+)\](.*)$")]
    if not headings or headings[0][1:] != ("Unreleased", ""):
        yield CHANGELOG, 1, "begins with no heading [Unreleased]"
    releases = headings[1:]
    for number, name, date in releases:
        if not re.fullmatch(r"\d+\.\d+\.\d+", name) or not re.fullmatch(r" - \d{4}-\d\d-\d\d", date):
            yield CHANGELOG, number, "a release's heading is `## [1.2.3] - 2026-01-31`"
            return
    if not releases or releases[0][1] != version:
        yield CHANGELOG, releases[0][0] if releases else 1, f"its newest release is not {version} ({SOURCE})"
    numbers = [tuple(int(part) for part in name.split(".")) for _, name, _ in releases]
    if numbers != sorted(set(numbers), reverse=True):
        yield CHANGELOG, 1, "its releases do not stand newest first, each once"


def main():
    found = list(findings())
    for name, number, why in found:
        print(f"{name}:{number}: {why}")
    return 1 if found else 0


sys.exit(main())
