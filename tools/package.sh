#!/usr/bin/env bash
# Makes the Debian packages: tools/package.sh [BUILD] [OPTIONS OF CPACK] puts them into BUILD/packages
# (build/release). tools/arm64/package.sh makes those of another machine.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}

cpack --config "$build/CPackConfig.cmake" -B "$build/packages" \
  -D CPACK_INSTALL_PREFIX=/usr -D CPACK_PACKAGING_INSTALL_PREFIX=/usr "${@:2}" >"$build/packages.log" || {
  cat "$build/packages.log" >&2
  exit 1
}
rm -rf "$build/packages/_CPack_Packages"
for package in "$build"/packages/*.deb; do
  echo "$package $(stat -c %s "$package") bytes"
done
