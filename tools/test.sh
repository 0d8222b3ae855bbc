#!/usr/bin/env bash
# Builds everything and runs every test.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_packages.sh
cmake --preset release -DCSSRUN_TESTS=ON -DCSSRUN_BENCH=ON >/dev/null
cmake --build --preset release -- --quiet
ctest --preset release --parallel "$(nproc)" "$@"
