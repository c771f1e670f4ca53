#!/bin/sh
# The kill matrix over the embedded providers. usage: ci/tests/kill/mutants.sh BUILD_DIRECTORY
# Which case killed which mutant goes to BUILD_DIRECTORY/killers.json; mutants_servers.sh begins with those.
set -eu
build=${1:?usage: mutants.sh BUILD_DIRECTORY}
# Hundreds of runs: in memory where there is such a place.
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/tools/mutants" --killers "$build/killers.json" "$build/switchproof" "$work"
