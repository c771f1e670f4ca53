#!/bin/sh
# The kill matrix over the providers. usage: ci/tests/kill/mutants.sh BUILD_DIRECTORY
set -eu
build=${1:?usage: mutants.sh BUILD_DIRECTORY}
# Hundreds of runs: in memory where there is such a place.
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/tools/mutants" "$build/switchproof" "$work"
