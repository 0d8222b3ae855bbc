#!/usr/bin/env bash
# Builds everything and runs every test.
set -euo pipefail
cd "$(dirname "$0")/.."

# Not needed to build or run: MPI for runs on many machines, a parser for the report.
tools/install_packages.sh libopenmpi-dev openmpi-bin libxml2-utils
cmake --preset release -DCSSRUN_TESTS=ON -DCSSRUN_BENCH=ON >/dev/null
cmake --build --preset release -- --quiet
ctest --preset release --parallel "$(nproc)" "$@"
