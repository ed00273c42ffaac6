#!/usr/bin/env bash
# Builds the documentation of the public modules (DocC), with warnings as errors.
#
#   scripts/docc.sh [BUILD] [OUTPUT]    BUILD: a debug build's folder (.build/debug); OUTPUT: the archive
#                                       (.build/MetadataGateway.doccarchive), which `docc preview` and any web server show
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly catalogue=docs/MetadataGateway.docc
# The modules that an own build imports, and those that they export again.
readonly modules=(Text Common Ingress GatewayCommand)

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

build=${1:-.build/debug} output=${2:-.build/MetadataGateway.doccarchive}
command -v docc >/dev/null || fail "there is no \`docc\` on PATH: it is a part of Swift's toolchain"
[[ -e $build/Modules/GatewayCommand.swiftmodule ]] || fail "there are no modules in $build: run \`swift build\` first"

graphs=$(mktemp -d)
trap 'rm -rf "$graphs"' EXIT

# Where the modules of C libraries are: those of this package, those of others, and those that the build has made.
flags=(-I "$build/Modules")
while IFS= read -r map; do flags+=(-I "$(dirname "$map")"); done < <(
    find Sources "$(dirname "$build")"/checkouts/*/Sources -maxdepth 3 -name module.modulemap | LC_ALL=C sort
)
while IFS= read -r map; do flags+=(-Xcc "-fmodule-map-file=$map"); done < <(
    find -L "$build" -maxdepth 2 -path '*.build/module.modulemap' | LC_ALL=C sort
)
target=$(swift -print-target-info | python3 -c 'import json, sys; print(json.load(sys.stdin)["target"]["unversionedTriple"])')
for module in "${modules[@]}"; do
    swift symbolgraph-extract -module-name "$module" -target "$target" "${flags[@]}" -minimum-access-level public \
        -skip-inherited-docs -output-dir "$graphs"
done

rm -rf "$output"
docc convert "$catalogue" --additional-symbol-graph-dir "$graphs" --output-dir "$output" --warnings-as-errors \
    --fallback-display-name "Metadata Gateway" --fallback-bundle-identifier metadata-gateway >&2
