"""The bill of materials names each package that a build resolved and each library that the executable is linked to."""

import json
import os
import subprocess

from conftest import ROOT


def test_each_package_and_library_is_listed():
    printed = subprocess.run([ROOT / "scripts/sbom.py"], check=True, capture_output=True, text=True).stdout
    document = json.loads(printed)
    components = {component["purl"]: component for component in document["components"]}
    assert len(components) == len(document["components"])
    pins = json.loads((ROOT / "Package.resolved").read_text())["pins"]
    swift = {purl: each for purl, each in components.items() if purl.startswith("pkg:swift/")}
    assert {each["name"] for each in swift.values()} == {pin["identity"] for pin in pins}
    for pin in pins:
        version = pin["state"].get("version", pin["state"]["revision"])
        assert any(each["name"] == pin["identity"] and each["version"] == version for each in swift.values())
    references = {component["bom-ref"] for component in document["components"]}
    assert set(document["dependencies"][0]["dependsOn"]) == references


def test_each_linked_library_of_debian_is_listed():
    """What ldd shows beyond the toolchain's own and what those libraries need themselves."""
    binary = os.environ["GATEWAY_BINARY"]
    needed = subprocess.run(["objdump", "-p", binary], check=True, capture_output=True, text=True).stdout
    files = [line.split()[1] for line in needed.splitlines() if line.strip().startswith("NEEDED")]
    document = json.loads(subprocess.run([ROOT / "scripts/sbom.py"], check=True, capture_output=True, text=True).stdout)
    names = {each["name"] for each in document["components"] if each["purl"].startswith("pkg:deb/")}
    packages = {"libcurl.so": "libcurl4", "libhiredis.so": "libhiredis0.14", "libyaml-0.so": "libyaml-0-2",
                "libsqlite3.so": "libsqlite3-0", "libz.so": "zlib1g"}
    for stem, package in packages.items():
        assert any(file.startswith(stem) for file in files), f"{stem} is no longer linked; {package} can leave the list"
        assert package in names
    toolchain = ("lib_", "libswift", "libFoundation", "libdispatch", "libBlocksRuntime", "libstdc++", "libm.", "libc.",
                 "libgcc_s", "ld-linux", "libpthread", "libdl", "librt", "libutil", "libicu")
    assert [file for file in files if not file.startswith((*toolchain, *packages))] == []
