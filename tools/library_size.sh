#!/usr/bin/env bash
# The size of the stripped shared library and what it needs: tools/library_size.sh [BUILD]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}

library=$(readlink -f "$build/runtime/libcssrun.so")
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$library"
awk -v bytes="$(stat -c %s "$stripped")" -v name="$(basename "$library")" \
  'BEGIN { printf "%s, stripped: %d bytes, %.2f MB\n", name, bytes, bytes / 1e6 }'
echo "needs" $(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
