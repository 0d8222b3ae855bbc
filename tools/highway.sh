#!/usr/bin/env bash
# Builds the runtime and its tests with another version of Highway than the installed one, and runs them:
#
#     tools/highway.sh [VERSION [OPTIONS FOR runtime_tests]]
#
# VERSION is 1.2.0, Debian 13's, unless given: one that Debian's servers have, and whose checksum stands below.
# Nothing is installed: sources, library and build are in build/highway-VERSION, and used again.
# Newer versions have names for newer processors, and choose them where this machine is one.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-1.2.0}
case $version in
  1.2.0) checksum=7e0be78b8318e8bdbf6fa545d2ecb4c90f947df03f7aadc42c1967f019e63343 ;;
  *) echo "tools/highway.sh: $version: no checksum is known of this version" >&2; exit 2 ;;
esac

tools/install_packages.sh curl ca-certificates
out=$PWD/build/highway-$version
mkdir -p "$out"
if [ ! -e "$out/root/lib/cmake/hwy" ]; then
  curl -sSf -o "$out/source.tar.gz" \
    "${DEBIAN_MIRROR:-http://deb.debian.org/debian}/pool/main/h/highway/highway_$version.orig.tar.gz"
  echo "$checksum  $out/source.tar.gz" | sha256sum --check --quiet
  tar -xf "$out/source.tar.gz" -C "$out"
  cmake -G Ninja -S "$out/highway-$version" -B "$out/library" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$out/root" -DCMAKE_INSTALL_LIBDIR=lib -DHWY_ENABLE_CONTRIB=OFF \
    -DHWY_ENABLE_EXAMPLES=OFF -DHWY_ENABLE_TESTS=OFF >/dev/null
  cmake --build "$out/library" --target install -- --quiet >/dev/null
fi

cmake -G Ninja -S . -B "$out/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$out/root" \
  -DCSSRUN_CONVERTER=OFF -DCSSRUN_TOOLS=OFF -DCSSRUN_BENCH=OFF >/dev/null
grep -q "^hwy_DIR:PATH=$out/root/" "$out/build/CMakeCache.txt" || {
  echo "tools/highway.sh: CMake found another Highway than $out/root" >&2
  exit 1
}
cmake --build "$out/build" --target runtime_tests -- --quiet
"$out/build/tests/runtime_tests" --gtest_brief=1 "${@:2}"
