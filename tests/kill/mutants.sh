#!/bin/sh
# The kill matrix over the providers. usage: tests/kill/mutants.sh BUILD_DIRECTORY
set -eu
build=${1:?usage: mutants.sh BUILD_DIRECTORY}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/tools/mutants" "$build/switchproof" "$work"
