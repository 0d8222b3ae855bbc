#!/usr/bin/env bash
# Compares the shared library's interface with that of the last tag: tools/check_abi.sh [BUILD]
# Exit codes: 0 compatible, or nothing to compare with; 1 incompatible: raise the major version, which is
# in the SONAME; 2 usage. Needs abidiff (Debian's abigail-tools).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}

[ -e "$build/runtime/libcssrun.so" ] || { echo "$build has no libcssrun.so; build it first" >&2; exit 2; }
command -v abidiff >/dev/null || { echo "abidiff is missing: apt-get install abigail-tools" >&2; exit 2; }
tag=${CSSRUN_ABI_TAG:-$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)}
if [ -z "$tag" ]; then
  echo "no tag yet: nothing to compare with"
  exit 0
fi

work=$(mktemp -d)
trap 'git worktree remove --force "$work/tag" 2>/dev/null; rm -rf "$work"' EXIT
git worktree add --quiet --detach "$work/tag" "$tag"
options=(-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS="-g -O0 -DHWY_COMPILE_ONLY_STATIC"
  -DCSSRUN_CONVERTER=OFF -DCSSRUN_TOOLS=OFF -DCSSRUN_TESTS=OFF -DCSSRUN_BENCH=OFF)
# With debug information both: types are compared, too.
for side in tag now; do
  source_dir=$work/tag
  [ $side = now ] && source_dir=$PWD
  cmake -G Ninja -S "$source_dir" -B "$work/build-$side" "${options[@]}" >"$work/log" &&
    cmake --build "$work/build-$side" --target cssrun_shared >>"$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 2; }
done
status=0
abidiff --no-added-syms --suppressions tools/abi.suppress --headers-dir1 "$work/tag/runtime/include" --headers-dir2 runtime/include \
  "$work/build-tag/runtime/libcssrun.so" "$work/build-now/runtime/libcssrun.so" || status=$?
# Bits of abidiff: 1, 2 error and usage; 4 a change, such as of a struct's size, which it leaves to others to
# judge: what may change is suppressed, so that the rest breaks programs; 8 what surely does.
[ $((status & 3)) = 0 ] || exit 2
old=$(readelf -d "$work/build-tag/runtime/libcssrun.so" | grep -o 'SONAME.*')
new=$(readelf -d "$work/build-now/runtime/libcssrun.so" | grep -o 'SONAME.*')
if [ $status != 0 ] && [ "$old" = "$new" ]; then
  echo "incompatible with $tag, with the same SONAME" >&2
  exit 1
fi
echo "compatible with $tag"
