#!/usr/bin/env python3
"""Prints the software bill of materials of a build as CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/).

It lists the Swift packages at the versions of Package.resolved, which a build writes, and the Debian libraries that
the executable is linked to, at the versions that this machine has."""

import json
import os
import re
import subprocess
import sys
from urllib.parse import urlsplit

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VERSION_FILE = "GatewayVersion.swift"
LIBRARIES = ["libcurl4", "libhiredis0.14", "libsqlite3-0", "libyaml-0-2", "zlib1g"]


def fail(message):
    sys.exit(f"error: {message}")


def gateway_version():
    for folder, _, files in os.walk(os.path.join(ROOT, "Sources/Common")):
        if VERSION_FILE in files:
            with open(os.path.join(folder, VERSION_FILE), encoding="utf-8") as file:
                return re.search(r'current = "([^"]+)"', file.read()).group(1)
    fail(f"there is no {VERSION_FILE} in Sources/Common")


def swift_packages():
    path = os.path.join(ROOT, "Package.resolved")
    if not os.path.exists(path):
        fail("there is no Package.resolved: run `make build` first")
    with open(path, encoding="utf-8") as file:
        pins = json.load(file)["pins"]
    for pin in pins:
        url = urlsplit(pin["location"].removesuffix(".git"))
        name, state = url.netloc + url.path, pin["state"]
        version = state.get("version", state["revision"])
        yield {
            "type": "library", "bom-ref": f"pkg:swift/{name}@{version}", "name": pin["identity"], "version": version,
            "purl": f"pkg:swift/{name}@{version}",
            "hashes": [{"alg": "SHA-1", "content": state["revision"]}],
            "externalReferences": [{"type": "vcs", "url": pin["location"]}],
        }


def debian_libraries():
    for name in LIBRARIES:
        found = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Version}", name], capture_output=True, text=True)
        if found.returncode:
            fail(f"the Debian package {name} is not installed: run `make build` first")
        purl = f"pkg:deb/debian/{name}@{found.stdout.replace(':', '%3A').replace('+', '%2B')}"
        yield {"type": "library", "bom-ref": purl, "name": name, "version": found.stdout, "purl": purl}


def main():
    version = gateway_version()
    reference = f"pkg:generic/metadata-gateway@{version}"
    components = sorted([*swift_packages(), *debian_libraries()], key=lambda component: component["bom-ref"])
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": reference, "name": "metadata-gateway", "version": version,
                "purl": reference,
            },
        },
        "components": components,
        "dependencies": [{"ref": reference, "dependsOn": [component["bom-ref"] for component in components]}],
    }
    json.dump(document, sys.stdout, indent=2)
    print()


main()
