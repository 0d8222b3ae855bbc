#!/usr/bin/env bash
# Runs every command of docs/embedding.md, in a folder like the source tree, on a network of the tests:
# embedding.sh SOURCE BUILD MAKE_NETWORK
set -euo pipefail
source_dir=$1 build_dir=$2 make_network=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/build"
ln -s "$build_dir" "$work/build/release"
ln -s "$source_dir/runtime" "$work/runtime"
expected=$("$make_network" "$work")

awk '/^```sh$/ { shell = 1; next } /^```/ { shell = 0 } shell' "$source_dir/docs/embedding.md" >"$work/commands.sh"
[ "$(wc -l <"$work/commands.sh")" -ge 10 ] || { echo "no commands in docs/embedding.md" >&2; exit 1; }
cd "$work"
export CMAKE_GENERATOR=Ninja CMAKE_BUILD_TYPE=Debug
bash -eux commands.sh >output 2>log || { cat log output >&2; exit 1; }
[ "$(grep -cxF -- "$expected" output)" = 3 ] || { echo "expected three times $expected:" >&2; cat output >&2; exit 1; }
[ "$(grep -c '^frame' output)" = 3 ] || { cat output >&2; exit 1; }
