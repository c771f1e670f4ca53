#!/bin/sh
# Backends that fail while verify reads them. usage: ci/tests/kill/faults.sh BUILD_DIRECTORY
set -eu
build=$(cd "${1:?usage: faults.sh BUILD_DIRECTORY}" && pwd)
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/tools/faults" "$work"
